import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import { TerminalError } from '../../engine/ports.js';
import { ObjectStorage, type Copied, type ObjectHead, type PinnedObject } from '../../s3/object-storage.js';
import { StorageError } from '../../s3/storage-error.js';
import type { ObjectRef, ScanContext } from '../../verdicts/ledger.js';
import type { Verdict } from '../../verdicts/verdict.js';
import { quarantineKeys } from './quarantine-key.js';
import { quarantineMetadata, usersOwn } from './quarantine-metadata.js';
import {
  markCopied,
  markQuarantine,
  readQuarantined,
  reservePlace,
  type QuarantineRow,
} from './sql/quarantined-objects.js';
import { announceRelease, confirmRelease, writtenRelease } from './sql/released-objects.js';

/** How a move into quarantine ended. */
export interface Moved {
  readonly row: QuarantineRow;
  /** Why the original is still there although the copy is made. */
  readonly leftBehind?: string | undefined;
}

/** How a move back ended; without `object` nothing was written, and `note` says why. */
export interface ReleaseOutcome {
  readonly object?: PinnedObject | undefined;
  readonly note?: string | undefined;
}

/**
 * Moves objects into quarantine and back. Each step is recorded when it is done, so a crash at any moment is followed by
 * the rest of the steps; nothing is deleted before its copy was read back and found the same.
 */
@Injectable()
export class Quarantine {
  constructor(
    private readonly storage: ObjectStorage,
    private readonly db: Database,
    private readonly clock: Clock,
  ) {}

  /** The scan's move as far as it went; `undefined` when none was begun. */
  find(scanId: string): Promise<QuarantineRow | undefined> {
    return readQuarantined(this.db, scanId);
  }

  /** Reserves a place and remembers which object it is for; later steps need no HEAD of the original. */
  async begin(
    scan: ScanContext,
    object: PinnedObject,
    head: ObjectHead,
    bucket: string,
  ): Promise<QuarantineRow> {
    const isReserved = await reservePlace(this.db, {
      scanId: scan.scanId,
      original: object,
      sizeBytes: head.sizeBytes,
      bucket,
      keys: quarantineKeys(object, scan.scanId),
      at: this.clock.now(),
    });
    if (!isReserved)
      throw new TerminalError(`No key in ${bucket} can hold the object; all are taken or too long.`);
    return this.mustFind(scan.scanId);
  }

  /** Copies, verifies, deletes the original's version; takes up where an earlier attempt ended. */
  async move(row: QuarantineRow, verdict: Verdict): Promise<Moved> {
    if (row.state === 'copying') await this.copy(row, verdict);
    const copied = await this.mustFind(row.scanId);
    if (copied.state !== 'copied') return { row: copied };
    try {
      await this.storage.deleteVersion(copied.original);
    } catch (error) {
      // Retention or a missing permission: the copy is safe, the original is not gone. Replaced is as good as gone.
      if (error instanceof StorageError && error.outcome === 'denied') {
        return { row: copied, leftBehind: `${error.s3Code}: ${error.detail}` };
      }
      if (!(error instanceof StorageError) || error.outcome !== 'superseded') throw error;
    }
    await markQuarantine(this.db, row.scanId, 'moved', this.clock.now());
    return { row: await this.mustFind(row.scanId) };
  }

  /** Copies back to where it came from and removes the quarantined copy. Never over a newer upload. */
  async release(row: QuarantineRow, originalLastModified: string): Promise<ReleaseOutcome> {
    if (row.state === 'deleted') return { note: 'the quarantined copy was deleted before' };
    if (row.state === 'copying') return { note: 'the object was never moved' };
    if (row.state === 'copied') {
      await this.remove(row, 'released');
      return {
        object: row.original,
        note: 'the original was still in place; the quarantined copy was removed',
      };
    }
    const written = await writtenRelease(this.db, row.scanId);
    const object =
      written === undefined
        ? await this.copyBack(row, originalLastModified)
        : { ...placeOf(row), ...written };
    if (object === undefined) {
      return { note: 'a newer upload stands at the key; the object stays in quarantine' };
    }
    if (row.state === 'moved') await this.remove(row, 'released');
    return { object };
  }

  /** Deletes the quarantined copy. */
  async delete(row: QuarantineRow): Promise<void> {
    if (row.state === 'moved' || row.state === 'copied') await this.remove(row, 'deleted');
  }

  private async copy(row: QuarantineRow, verdict: Verdict): Promise<void> {
    const copied = (await this.earlierCopy(row)) ?? (await this.copyNow(row, verdict));
    await markCopied(this.db, {
      scanId: row.scanId,
      versionId: copied.versionId,
      eTag: copied.eTag,
      sha256: copied.sha256,
      at: this.clock.now(),
    });
  }

  /** What an attempt that crashed after the copy left at our place: told by the scan's id, trusted by its bytes. */
  private async earlierCopy(row: QuarantineRow): Promise<Copied | undefined> {
    const head = await this.headOrGone(row.place);
    if (head?.metadata['sallyport-scan-id'] !== row.scanId || head.sizeBytes !== row.sizeBytes)
      return undefined;
    const copy = { ...row.place, versionId: head.versionId, eTag: head.eTag };
    const sha256 = await this.storage.digest(copy);
    if (sha256 !== (await this.storage.digest(row.original))) return undefined;
    return { versionId: head.versionId, eTag: head.eTag, sizeBytes: head.sizeBytes, sha256 };
  }

  private async copyNow(row: QuarantineRow, verdict: Verdict): Promise<Copied> {
    const head = await this.storage.head(row.original);
    return this.storage.copyVerified({
      source: row.original,
      destination: row.place,
      metadata: quarantineMetadata(head.metadata, {
        original: row.original,
        eTag: row.original.eTag,
        scanId: row.scanId,
        verdict,
      }),
    });
  }

  /** `undefined` when a newer upload holds the key. */
  private async copyBack(
    row: QuarantineRow,
    originalLastModified: string,
  ): Promise<PinnedObject | undefined> {
    const { copy, sha256, original } = row;
    if (copy === undefined || sha256 === undefined)
      throw new TerminalError('The quarantined copy is not known.');
    const source = { ...row.place, ...copy };
    const target = { endpointId: original.endpointId, bucket: original.bucket, key: original.key };
    await announceRelease(this.db, {
      scanId: row.scanId,
      ref: target,
      eTag: copy.eTag,
      sha256,
      at: this.clock.now(),
    });
    const head = await this.headOrGone(target);
    const there =
      head === undefined
        ? 'nothing'
        : await this.whatStands(target, head, row, { sha256, originalLastModified });
    if (there === 'newer') return undefined;
    const written =
      there === 'ours' && head !== undefined
        ? { versionId: head.versionId, eTag: head.eTag }
        : await this.writeBack(source, target, sha256, there === 'nothing');
    if (written === undefined) return undefined;
    await confirmRelease(this.db, { scanId: row.scanId, versionId: written.versionId, eTag: written.eTag });
    return { ...target, versionId: written.versionId, eTag: written.eTag };
  }

  private async writeBack(
    source: PinnedObject,
    target: { bucket: string; key: string },
    sha256: string,
    mustBeNew: boolean,
  ): Promise<Copied | undefined> {
    const head = await this.storage.head(source).catch(asChanged);
    try {
      return await this.storage.copyVerified({
        source,
        destination: target,
        metadata: usersOwn(head.metadata),
        sha256,
        mustBeNew,
      });
    } catch (error) {
      // Somebody uploaded in this very moment.
      if (mustBeNew && error instanceof StorageError && error.outcome === 'superseded') return undefined;
      throw error;
    }
  }

  /**
   * Whether what stands at the original's key is our own earlier copy, something newer, or an older version that came to
   * light when the original went; a copy above that one loses nothing.
   */
  private async whatStands(
    target: ObjectRef,
    head: ObjectHead,
    row: QuarantineRow,
    facts: { sha256: string; originalLastModified: string },
  ): Promise<'ours' | 'newer' | 'older'> {
    const there = { ...target, versionId: head.versionId, eTag: head.eTag };
    if (head.sizeBytes === row.sizeBytes && (await this.storage.digest(there)) === facts.sha256)
      return 'ours';
    if (head.versionId === undefined || head.versionId === 'null') return 'newer';
    // Told in whole seconds: in doubt it is the newer one, which must not be covered.
    return Date.parse(head.lastModified) < Date.parse(facts.originalLastModified) ? 'older' : 'newer';
  }

  private async remove(row: QuarantineRow, state: 'released' | 'deleted'): Promise<void> {
    if (row.copy !== undefined) await this.storage.deleteVersion({ ...row.place, ...row.copy });
    await markQuarantine(this.db, row.scanId, state, this.clock.now());
  }

  private async headOrGone(ref: { endpointId: string; bucket: string; key: string }) {
    try {
      return await this.storage.head(ref);
    } catch (error) {
      if (error instanceof StorageError && error.outcome === 'gone') return undefined;
      throw error;
    }
  }

  private async mustFind(scanId: string): Promise<QuarantineRow> {
    const row = await readQuarantined(this.db, scanId);
    if (row === undefined) throw new TerminalError(`The quarantine row of scan ${scanId} vanished.`);
    return row;
  }
}

const placeOf = ({ original }: QuarantineRow) => ({
  endpointId: original.endpointId,
  bucket: original.bucket,
  key: original.key,
});

function asChanged(error: unknown): never {
  if (error instanceof StorageError && (error.outcome === 'superseded' || error.outcome === 'gone')) {
    throw new TerminalError('The quarantined copy is not what was scanned any more; nothing was released.', {
      cause: error,
    });
  }
  throw error;
}
