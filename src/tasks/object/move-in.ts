import type { Clock } from '../../clock.js';
import type { Database } from '../../database/database.js';
import { lastRestoration } from '../../database/sql/restoration.js';
import { TerminalError } from '../../engine/ports.js';
import type { ObjectStorage, PinnedObject } from '../../s3/object-storage.js';
import { StorageError } from '../../s3/storage-error.js';
import type { Verdict } from '../../verdicts/verdict.js';
import { quarantineMetadata } from './quarantine-metadata.js';
import { removeVersion } from './remove-version.js';
import { appendStep } from './sql/object-steps.js';
import {
  forgetCopy,
  markQuarantine,
  markVerified,
  markWritten,
  readQuarantined,
  type QuarantineRow,
} from './sql/quarantined-objects.js';
import { uploadJournal } from './upload-journal.js';

/** How a move into quarantine ended. */
export interface Moved {
  readonly row: QuarantineRow;
  /** Why the original is still there although the copy is made: a stable code and words. */
  readonly leftBehind?: { readonly reason: string; readonly detail: string } | undefined;
}

export interface MoveParts {
  readonly storage: ObjectStorage;
  readonly db: Database;
  readonly clock: Clock;
}

/**
 * The rest of the steps of a move into quarantine: copied, verified, deleted or left behind. Each is written down when it
 * is done, and the next attempt goes on behind the last one.
 *
 * @param scannedSha256 what the scanners read; a source that holds other bytes was overwritten unseen.
 */
export async function moveIn(
  parts: MoveParts,
  row: QuarantineRow,
  verdict: Verdict,
  scannedSha256: string | undefined,
): Promise<Moved> {
  let at = row;
  if (at.state === 'copying' && at.copy === undefined) at = await copy(parts, at, verdict);
  if (at.state === 'copying') at = await verify(parts, at, scannedSha256);
  if (at.state !== 'copied') return { row: at };
  const { storage, db, clock } = parts;
  const removal = await removeVersion(storage, at.original, clock.now());
  const { scanId } = at;
  if (removal.kind === 'leftBehind') {
    const { reason, detail } = removal;
    const note = `${reason}: ${detail}`;
    await appendStep(db, { scanId, move: 'quarantine', step: 'left_behind', note, at: clock.now() });
    return { row: at, leftBehind: { reason, detail } };
  }
  const { note, others } = removal;
  const step = { move: 'quarantine', step: 'deleted', note, data: { otherVersions: others } } as const;
  await db.transaction((tx) => markQuarantine(tx, { scanId, state: 'moved', step, at: clock.now() }));
  return { row: await mustFind(parts, scanId) };
}

async function copy(parts: MoveParts, row: QuarantineRow, verdict: Verdict): Promise<QuarantineRow> {
  const { storage, db, clock } = parts;
  const { scanId, original, place } = row;
  const written = (await earlierCopy(parts, row)) ?? (await copyNow());
  await db.transaction((tx) =>
    markWritten(tx, { scanId, versionId: written.versionId, eTag: written.eTag, at: clock.now() }),
  );
  return mustFind(parts, scanId);

  async function copyNow() {
    const head = await storage.head(original);
    return storage.copy({
      source: original,
      destination: place,
      // Encrypted as the quarantine bucket says: who may use the source's key must not thereby read what is held here.
      metadata: quarantineMetadata(head.metadata, { original, eTag: original.eTag, scanId, verdict }),
      journal: uploadJournal(parts, { scanId, move: 'quarantine', ...place }),
    });
  }
}

/** What an attempt that crashed after the copy left at our place: told by the scan's id, and verified like any other. */
async function earlierCopy(
  { storage }: MoveParts,
  row: QuarantineRow,
): Promise<{ readonly versionId: string | undefined; readonly eTag: string } | undefined> {
  try {
    const { metadata, sizeBytes, versionId, eTag } = await storage.head(row.place);
    const isOurs = metadata['sallyport-scan-id'] === row.scanId && sizeBytes === row.sizeBytes;
    return isOurs ? { versionId, eTag } : undefined;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

const isGone = (error: unknown): boolean => error instanceof StorageError && error.outcome === 'gone';

/** It is not there any more, whatever stands at its key by now. */
export const isAway = (error: unknown): boolean =>
  isGone(error) || (error instanceof StorageError && error.outcome === 'superseded');

/**
 * Where a former life, whose record a restored database lacks, has put the object: a copy in quarantine that names its scan.
 *
 * @returns the place of the first such copy; `undefined` in a database that was never restored.
 */
export async function placeInFormerLife(
  { storage, db }: MoveParts,
  where: { readonly endpointId: string; readonly bucket: string; readonly keys: readonly string[] },
  { scanId, sizeBytes }: { readonly scanId: string; readonly sizeBytes: number },
): Promise<string | undefined> {
  if (!(await wasRestored(db))) return undefined;
  const { endpointId, bucket, keys } = where;
  for (const key of keys) {
    const head = await storage.head({ endpointId, bucket, key }).catch((error: unknown) => {
      if (isGone(error)) return undefined;
      throw error;
    });
    if (head?.metadata['sallyport-scan-id'] === scanId && head.sizeBytes === sizeBytes) return key;
  }
  return undefined;
}

export const wasRestored = async (db: Database): Promise<boolean> =>
  (await lastRestoration(db)) !== undefined;

async function verify(
  parts: MoveParts,
  row: QuarantineRow,
  scannedSha256: string | undefined,
): Promise<QuarantineRow> {
  const { storage, db, clock } = parts;
  const { scanId, original, sizeBytes } = row;
  const copied: PinnedObject = { ...row.place, versionId: row.copy?.versionId, eTag: row.copy?.eTag ?? '' };
  const sha256 = await storage.digest(original).catch(async (error: unknown) => {
    // It was moved in a former life, which looked at the copy before it deleted the original.
    if (!isAway(error) || !(await wasRestored(db))) throw error;
    return storage.digest(copied);
  });
  if (scannedSha256 !== undefined && sha256 !== scannedSha256) {
    await discardCopy(parts, row, 'the original does not hold the bytes that were scanned');
    throw new StorageError('superseded', 'BytesDiffer', 'the object is not what was scanned any more', {
      reason: 'overwritten',
    });
  }
  try {
    await storage.verifyCopy(copied, { sizeBytes, sha256 });
  } catch (error) {
    if (!(error instanceof StorageError) || error.retryable) throw error;
    await discardCopy(parts, row, `${error.reason}: ${error.detail}`);
    // Whatever became of the copy, the original is still there: the next attempt makes another one.
    throw new StorageError('unreachable', error.s3Code, error.detail, {
      cause: error,
      reason: 'copy_differs',
    });
  }
  await db.transaction((tx) => markVerified(tx, { scanId, sha256, at: clock.now() }));
  return mustFind(parts, scanId);
}

/** Removes a copy that is not verified, and forgets it. The place stays reserved. */
export async function discardCopy(
  { storage, db, clock }: MoveParts,
  row: QuarantineRow,
  why: string,
): Promise<void> {
  const copied: PinnedObject = { ...row.place, versionId: row.copy?.versionId, eTag: row.copy?.eTag ?? '' };
  await storage.deleteVersion(copied).catch((error: unknown) => {
    // Another object stands there by now, or it may not be deleted: it is not taken for our copy in either case.
    if (!(error instanceof StorageError) || error.retryable) throw error;
  });
  await db.transaction((tx) => forgetCopy(tx, row.scanId, why, clock.now()));
}

export async function mustFind({ db }: Pick<MoveParts, 'db'>, scanId: string): Promise<QuarantineRow> {
  const row = await readQuarantined(db, scanId);
  if (row === undefined) throw new TerminalError(`The quarantine row of scan ${scanId} vanished.`);
  return row;
}
