import type { Instant } from '../../clock.js';
import type { ObjectHead, ObjectStorage, PinnedObject } from '../../s3/object-storage.js';
import { StorageError } from '../../s3/storage-error.js';

/** How a removal ended; `leftBehind` is why it is still there. */
export type Removal =
  | { readonly kind: 'removed'; readonly note?: string | undefined; readonly others: OtherVersions }
  | { readonly kind: 'leftBehind'; readonly reason: string; readonly detail: string };

/** Versions of the same key that stay, newest first. */
export type OtherVersions =
  | {
      readonly count: number;
      readonly first: readonly { readonly versionId: string | undefined; readonly sizeBytes: number }[];
    }
  | { readonly unknown: string };

// So many are named in the ledger; all are counted, up to a page of the listing.
const NAMED_VERSIONS = 20;

/**
 * Removes exactly this version and looks that it is gone. Retention and legal holds are respected, governance mode too:
 * going past it takes a right that the service neither needs nor uses. Repeatable.
 *
 * @throws StorageError when S3 is busy or away
 */
export async function removeVersion(
  storage: ObjectStorage,
  object: PinnedObject,
  now: Instant,
): Promise<Removal> {
  const head = await headIfThere(storage, object);
  if (head === undefined) return removed(storage, object, 'it was gone already');
  if (head === 'replaced') return removed(storage, object, 'another object stands at its key');
  const lock = lockOf(head, now);
  if (lock !== undefined) return { kind: 'leftBehind', reason: 'object_locked', detail: lock };
  try {
    await storage.deleteVersion(object);
  } catch (error) {
    if (!(error instanceof StorageError) || error.retryable) throw error;
    if (error.outcome !== 'superseded')
      return { kind: 'leftBehind', reason: error.reason, detail: error.detail };
  }
  const after = await headIfThere(storage, object);
  if (after === undefined || after === 'replaced') return removed(storage, object);
  return { kind: 'leftBehind', reason: 'delete_ignored', detail: 'S3 said deleted, and it is still there' };
}

async function removed(storage: ObjectStorage, object: PinnedObject, note?: string): Promise<Removal> {
  return { kind: 'removed', note, others: await othersOf(storage, object) };
}

/** What keeps the version, in words; `undefined` when S3 told of nothing. */
export function lockOf({ lock }: Pick<ObjectHead, 'lock'>, now: Instant): string | undefined {
  if (lock.hasLegalHold) return 'a legal hold is on it';
  const until = lock.retainUntil;
  if (lock.mode === undefined || until === undefined || Date.parse(until) <= now) return undefined;
  return `retention in ${lock.mode.toLowerCase()} mode until ${until}`;
}

async function othersOf(storage: ObjectStorage, object: PinnedObject): Promise<OtherVersions> {
  try {
    const versions = await storage.versionsOf(object);
    const others = versions.filter(({ versionId }) => versionId !== object.versionId);
    const first = others
      .slice(0, NAMED_VERSIONS)
      .map(({ versionId, sizeBytes }) => ({ versionId, sizeBytes }));
    return { count: others.length, first };
  } catch (error) {
    // Asked for the record only: what was removed stays removed.
    if (error instanceof StorageError) return { unknown: `${error.reason}: ${error.detail}` };
    throw error;
  }
}

async function headIfThere(
  storage: ObjectStorage,
  object: PinnedObject,
): Promise<ObjectHead | 'replaced' | undefined> {
  try {
    return await storage.head(object);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    if (error.outcome === 'gone') return undefined;
    if (error.outcome === 'superseded') return 'replaced';
    throw error;
  }
}
