import { createHash } from 'node:crypto';
import type { ObjectRef } from './ledger.js';

/**
 * Whether the version id alone names the bytes for ever. "null" does not: in a bucket whose versioning is suspended
 * every upload overwrites the version of that name.
 */
export const isVersioned = (ref: Pick<ObjectRef, 'versionId'>): boolean =>
  ref.versionId !== undefined && ref.versionId !== 'null';

/** What an event tells of an unversioned upload, until HEAD tells what is there. */
export interface ProvisionalFacts {
  readonly eTag?: string | undefined;
  readonly sizeBytes?: number | undefined;
  /** Whatever tells this upload from the next one of the same bytes. */
  readonly occurrence: string;
}

/** Digest that is unique per object version. */
export const versionIdentity = (ref: ObjectRef): string => digest(ref, ['version', ref.versionId ?? '']);

/** Stands in for the identity of an unversioned upload between its event and its inspection. */
export const provisionalIdentity = (ref: ObjectRef, facts: ProvisionalFacts): string =>
  digest(ref, ['event', facts.eTag ?? '', String(facts.sizeBytes ?? ''), facts.occurrence]);

/** Identity of an unversioned object as HEAD told it. */
export const headIdentity = (
  ref: ObjectRef,
  facts: { readonly eTag: string; readonly sizeBytes: number; readonly lastModified: string },
): string => digest(ref, ['head', facts.eTag, String(facts.sizeBytes), secondOf(facts.lastModified)]);

// HTTP's Last-Modified has whole seconds, other answers have milliseconds: both mean the same object.
function secondOf(lastModified: string): string {
  const at = Date.parse(lastModified);
  return Number.isNaN(at) ? lastModified : String(Math.floor(at / 1000));
}

const digest = (ref: ObjectRef, parts: readonly string[]): string =>
  createHash('sha256')
    .update(JSON.stringify([ref.endpointId, ref.bucket, ref.key, ...parts]))
    .digest('hex');

// Few enough that one message of a thousand keys does not exhaust PostgreSQL's lock table.
const LOCKS = 256;
const LOCK_SPACE = 7_205_001;

/** Number of the advisory lock (in `LOCK_SPACE`) that serialises what is said about one key. */
export const keyLock = (ref: Pick<ObjectRef, 'endpointId' | 'bucket' | 'key'>): number =>
  createHash('sha256')
    .update(JSON.stringify([ref.endpointId, ref.bucket, ref.key]))
    .digest()
    .readUInt16BE(0) % LOCKS;

/** Takes the locks of several keys in one order, so that two messages never wait for each other in a ring. */
export async function lockKeys(
  tx: { query(text: string, values: readonly unknown[]): Promise<unknown> },
  refs: readonly Pick<ObjectRef, 'endpointId' | 'bucket' | 'key'>[],
): Promise<void> {
  const locks = [...new Set(refs.map(keyLock))].sort((a, b) => a - b);
  await tx.query(
    'SELECT pg_advisory_xact_lock($1, lock) FROM unnest($2::int[]) WITH ORDINALITY AS l (lock, n) ORDER BY n',
    [LOCK_SPACE, locks],
  );
}
