import { TerminalError } from '../../engine/ports.js';
import type { ObjectHead, PinnedObject } from '../../s3/object-storage.js';
import { StorageError } from '../../s3/storage-error.js';
import type { ObjectRef } from '../../verdicts/ledger.js';
import type { MoveParts } from './move-in.js';
import { usersOwn } from './quarantine-metadata.js';
import type { QuarantineRow } from './sql/quarantined-objects.js';
import {
  announceRelease,
  forgetRelease,
  markReleaseVerified,
  markReleaseWritten,
  readRelease,
  type Decider,
} from './sql/released-objects.js';
import { uploadJournal } from './upload-journal.js';

interface Written {
  readonly versionId?: string | undefined;
  readonly eTag: string;
}

/**
 * Copies a quarantined object back to where it came from: announced, written, verified. Never over a newer upload: then
 * nothing is returned. The quarantined copy stays; whoever calls removes it.
 */
export async function moveBack(
  parts: MoveParts,
  row: QuarantineRow,
  originalLastModified: string,
  by: Decider,
): Promise<PinnedObject | undefined> {
  const { db, clock } = parts;
  const { scanId, copy, sha256, sizeBytes, original } = row;
  if (copy === undefined || sha256 === undefined)
    throw new TerminalError('The quarantined copy is not known.');
  const { endpointId, bucket, key } = original;
  const target = { endpointId, bucket, key };
  await db.transaction((tx) =>
    announceRelease(tx, { scanId, ref: target, eTag: copy.eTag, sha256, by, at: clock.now() }),
  );
  const release = await readRelease(db, scanId);
  if (release?.isVerified === true && release.written !== undefined) return { ...target, ...release.written };
  const written = release?.written ?? (await write(parts, row, target, { sha256, originalLastModified }));
  if (written === undefined) return undefined;
  const { versionId, eTag } = written;
  await db.transaction((tx) => markReleaseWritten(tx, { scanId, versionId, eTag, at: clock.now() }));
  const object = { ...target, versionId, eTag };
  await verify(parts, row, object, { sizeBytes, sha256 });
  await db.transaction((tx) => markReleaseVerified(tx, scanId, clock.now()));
  return object;
}

async function write(
  parts: MoveParts,
  row: QuarantineRow,
  target: ObjectRef,
  facts: { readonly sha256: string; readonly originalLastModified: string },
): Promise<Written | undefined> {
  const head = await headOrGone(parts, target);
  const there = head === undefined ? 'nothing' : await whatStands(parts, row, target, head, facts);
  if (there === 'newer') return undefined;
  if (there === 'ours' && head !== undefined) return { versionId: head.versionId, eTag: head.eTag };
  const written = await copyBack(parts, row, target, there === 'nothing');
  if (written !== undefined) return written;
  // Somebody was faster: an upload, or another attempt at this very release.
  const faster = await headOrGone(parts, target);
  const isOurs = faster !== undefined && (await whatStands(parts, row, target, faster, facts)) === 'ours';
  return isOurs ? { versionId: faster.versionId, eTag: faster.eTag } : undefined;
}

async function copyBack(
  parts: MoveParts,
  row: QuarantineRow,
  target: ObjectRef,
  mustBeNew: boolean,
): Promise<Written | undefined> {
  const { storage } = parts;
  const { scanId, originalFacts } = row;
  const source: PinnedObject = { ...row.place, versionId: row.copy?.versionId, eTag: row.copy?.eTag ?? '' };
  const head = await storage.head(source).catch(asChanged);
  try {
    return await storage.copy({
      source,
      destination: target,
      metadata: usersOwn(head.metadata),
      encryption: originalFacts.encryption,
      storageClass: readableClass(originalFacts.storageClass),
      mustBeNew,
      journal: uploadJournal(parts, { scanId, move: 'release', ...target }),
    });
  } catch (error) {
    if (!mustBeNew || !(error instanceof StorageError) || error.outcome !== 'superseded') throw error;
    // The quarantined copy was changed in this very moment, or somebody uploaded.
    await storage.head(source).catch(asChanged);
    return undefined;
  }
}

/** Reads back what was written; takes it away again when it is not what was let go. */
async function verify(
  { storage, db, clock }: MoveParts,
  { scanId }: QuarantineRow,
  object: PinnedObject,
  expected: { readonly sizeBytes: number; readonly sha256: string },
): Promise<void> {
  try {
    await storage.verifyCopy(object, expected);
  } catch (error) {
    if (!(error instanceof StorageError) || error.retryable) throw error;
    if (error.s3Code === 'CopyDiffers') await storage.deleteVersion(object);
    await db.transaction((tx) => forgetRelease(tx, scanId, `${error.reason}: ${error.detail}`, clock.now()));
    throw new TerminalError(
      'What was written back was not what was let go, or is gone; nothing was released.',
      {
        cause: error,
      },
    );
  }
}

/**
 * Whether what stands at the original's key is our own earlier copy, something newer, or an older version that came to
 * light when the original went; a copy above that one loses nothing.
 */
async function whatStands(
  { storage }: MoveParts,
  row: QuarantineRow,
  target: ObjectRef,
  head: ObjectHead,
  facts: { readonly sha256: string; readonly originalLastModified: string },
): Promise<'ours' | 'newer' | 'older'> {
  const there = { ...target, versionId: head.versionId, eTag: head.eTag };
  if (head.sizeBytes === row.sizeBytes && (await storage.digest(there)) === facts.sha256) return 'ours';
  if (head.versionId === undefined || head.versionId === 'null') return 'newer';
  // Told in whole seconds: in doubt it is the newer one, which must not be covered.
  return Date.parse(head.lastModified) < Date.parse(facts.originalLastModified) ? 'older' : 'newer';
}

/** Into an archive nothing is released: who was waiting for it wants to read it. */
const readableClass = (storageClass: string | undefined): string | undefined =>
  storageClass === 'GLACIER' || storageClass === 'DEEP_ARCHIVE' ? undefined : storageClass;

async function headOrGone({ storage }: MoveParts, ref: ObjectRef): Promise<ObjectHead | undefined> {
  try {
    return await storage.head(ref);
  } catch (error) {
    if (error instanceof StorageError && error.outcome === 'gone') return undefined;
    throw error;
  }
}

function asChanged(error: unknown): never {
  if (error instanceof StorageError && (error.outcome === 'superseded' || error.outcome === 'gone')) {
    throw new TerminalError('The quarantined copy is not what was scanned any more; nothing was released.', {
      cause: error,
    });
  }
  throw error;
}
