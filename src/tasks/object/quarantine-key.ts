import { createHash } from 'node:crypto';
import type { ObjectRef } from '../../verdicts/ledger.js';

// S3's limit for a key, in bytes of UTF-8.
const MAX_KEY_BYTES = 1024;

/**
 * Where an object may go in the quarantine bucket, best first: `<endpoint>/<bucket>/<key>`, so that people find it; with
 * the scan's id behind it when that place is taken by another version; hashed when the key is too long or would not
 * survive as part of another (`..`, empty segments, control characters).
 */
export function quarantineKeys(ref: ObjectRef, scanId: string): readonly string[] {
  const prefix = `${ref.endpointId}/${ref.bucket}/`;
  const isOdd =
    /\p{Cc}/u.test(ref.key) ||
    !ref.key.isWellFormed() ||
    ref.key.split('/').some((part) => part === '' || part === '.' || part === '..');
  const hashed = `${prefix}sha256-${createHash('sha256').update(ref.key).digest('hex')}-${scanId}`;
  const readable = [`${prefix}${ref.key}`, `${prefix}${ref.key}~${scanId}`];
  return [...(isOdd ? [] : readable), hashed].filter((key) => Buffer.byteLength(key) <= MAX_KEY_BYTES);
}
