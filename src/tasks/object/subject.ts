import { TerminalError } from '../../engine/ports.js';
import type { Buckets, BucketPolicy } from '../../s3/buckets.js';
import {
  isImmutable,
  type ObjectHead,
  type ObjectStorage,
  type PinnedObject,
} from '../../s3/object-storage.js';
import type { ScanContext } from '../../verdicts/ledger.js';

/** The bucket's policy. @throws TerminalError when the bucket is not registered (any more) */
export function policyOf(buckets: Buckets, { ref }: ScanContext): BucketPolicy {
  const policy = buckets.find(ref.endpointId, ref.bucket);
  if (policy === undefined) {
    throw new TerminalError(`The bucket ${ref.bucket} is not registered; register it first.`);
  }
  return policy;
}

/**
 * The scanned object, held fast, and its HEAD: the version that the scan names, or the current one when its ETag is
 * still what inspect saw. @throws StorageError
 */
export async function currentOf(
  storage: ObjectStorage,
  scan: ScanContext,
): Promise<{ object: PinnedObject; head: ObjectHead }> {
  const head = await storage.head({ ...scan.ref, eTag: scan.facts?.eTag });
  return { object: { ...scan.ref, versionId: scan.ref.versionId ?? head.versionId, eTag: head.eTag }, head };
}

/**
 * The scanned object, held fast, for what needs nothing else of it: a version that inspect saw is asked for nothing.
 *
 * @throws StorageError
 */
export async function pinnedOf(storage: ObjectStorage, scan: ScanContext): Promise<PinnedObject> {
  if (isImmutable(scan.ref.versionId) && scan.facts !== undefined)
    return { ...scan.ref, eTag: scan.facts.eTag };
  return (await currentOf(storage, scan)).object;
}
