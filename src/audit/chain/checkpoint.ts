import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { canonicalJson } from '../../canonical-json.js';

/** What a checkpoint says: up to here the chain had this many events, and this was its head. */
export interface Checkpoint {
  readonly chain: string;
  readonly seq: number;
  /** Hexadecimal. */
  readonly head: string;
  /** ISO 8601. */
  readonly at: string;
  readonly keyId: string;
}

export interface SignedCheckpoint extends Checkpoint {
  /** Ed25519 over the RFC 8785 text of the others; base64. */
  readonly signature: string;
}

// PKCS #8 and SubjectPublicKeyInfo of an Ed25519 key (RFC 8410) before its 32 bytes.
const PRIVATE_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** The signing key of 32 random bytes. */
export const signingKeyOf = (seed: Buffer): KeyObject =>
  createPrivateKey({ key: Buffer.concat([PRIVATE_PREFIX, seed]), format: 'der', type: 'pkcs8' });

/** The 32 bytes that others verify with; base64. */
export const publicKeyOf = (key: KeyObject): string =>
  createPublicKey(key)
    .export({ format: 'der', type: 'spki' })
    .subarray(PUBLIC_PREFIX.length)
    .toString('base64');

/** @throws TypeError when it is no such key. */
export function readPublicKey(base64: string): KeyObject {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length !== 32) throw new TypeError('an Ed25519 public key has 32 bytes');
  return createPublicKey({ key: Buffer.concat([PUBLIC_PREFIX, bytes]), format: 'der', type: 'spki' });
}

export const signCheckpoint = (checkpoint: Checkpoint, key: KeyObject): SignedCheckpoint => ({
  ...checkpoint,
  signature: sign(null, textOf(checkpoint), key).toString('base64'),
});

/** Whether the owner of the key said so. */
export const isSignedBy = ({ signature, ...checkpoint }: SignedCheckpoint, key: KeyObject): boolean =>
  verify(null, textOf(checkpoint), key, Buffer.from(signature, 'base64'));

const textOf = ({ chain, seq, head, at, keyId }: Checkpoint): Buffer =>
  Buffer.from(canonicalJson({ chain, seq, head, at, keyId }));
