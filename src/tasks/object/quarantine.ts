import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import { TerminalError } from '../../engine/ports.js';
import { ObjectStorage, type ObjectHead, type PinnedObject } from '../../s3/object-storage.js';
import type { ScanContext } from '../../verdicts/ledger.js';
import type { Verdict } from '../../verdicts/verdict.js';
import { moveBack } from './move-back.js';
import {
  discardCopy,
  moveIn,
  mustFind,
  placeInFormerLife,
  wasRestored,
  type Moved,
  type MoveParts,
} from './move-in.js';
import { quarantineKeys } from './quarantine-key.js';
import { endUploads } from './end-uploads.js';
import { removeVersion } from './remove-version.js';
import { uploadsOf } from './sql/copy-uploads.js';
import { appendStep, type Move } from './sql/object-steps.js';
import {
  markQuarantine,
  readQuarantined,
  reservePlace,
  type QuarantineRow,
} from './sql/quarantined-objects.js';
import { allowBytes, readRelease, type Decider } from './sql/released-objects.js';

// Signatures learn within weeks what they did not know on the day of a decision.
const ALLOWED_MS = 90 * 24 * 3_600_000;

/** How a move back ended; without `object` nothing was written, and `note` says why. */
export interface ReleaseOutcome {
  readonly object?: PinnedObject | undefined;
  readonly note?: string | undefined;
}

/** How a deletion ended; `note` says what is left. */
export interface Deletion {
  readonly performed: boolean;
  readonly note?: string | undefined;
}

/**
 * Moves objects into quarantine and back. Each step is recorded when it is done, so a crash at any moment is followed by
 * the rest of the steps; nothing is deleted before its copy was read back and found the same.
 */
@Injectable()
export class Quarantine {
  private readonly parts: MoveParts;

  constructor(storage: ObjectStorage, db: Database, clock: Clock) {
    this.parts = { storage, db, clock };
  }

  /** The scan's move as far as it went; `undefined` when none was begun. */
  find(scanId: string): Promise<QuarantineRow | undefined> {
    return readQuarantined(this.parts.db, scanId);
  }

  /** Reserves a place and remembers which object it is for; later steps need no HEAD of the original. */
  async begin(
    { scanId }: ScanContext,
    object: PinnedObject,
    head: ObjectHead,
    bucket: string,
  ): Promise<QuarantineRow> {
    const isReserved = await this.parts.db.transaction((tx) =>
      reservePlace(tx, {
        scanId,
        original: object,
        sizeBytes: head.sizeBytes,
        bucket,
        keys: quarantineKeys(object, scanId),
        originalFacts: { encryption: head.encryption, storageClass: head.storageClass },
        at: this.parts.clock.now(),
      }),
    );
    if (!isReserved)
      throw new TerminalError(`No key in ${bucket} can hold the object; all are taken or too long.`);
    return mustFind(this.parts, scanId);
  }

  /**
   * Takes up a move that a former life has done, of which a restored database knows nothing: the original is gone, and a copy in
   * quarantine names the scan. `undefined` where there is none.
   */
  async takeUp({ scanId, ref, facts }: ScanContext, bucket: string): Promise<QuarantineRow | undefined> {
    if (facts === undefined) return undefined;
    const { endpointId } = ref;
    const { sizeBytes, eTag, storageClass } = facts;
    const places = { endpointId, bucket, keys: quarantineKeys(ref, scanId) };
    const key = await placeInFormerLife(this.parts, places, { scanId, sizeBytes });
    if (key === undefined) return undefined;
    await this.parts.db.transaction((tx) =>
      reservePlace(tx, {
        scanId,
        original: { ...ref, eTag },
        sizeBytes,
        bucket,
        keys: [key],
        originalFacts: { storageClass },
        at: this.parts.clock.now(),
      }),
    );
    return mustFind(this.parts, scanId);
  }

  /** Copies, verifies, deletes the original's version; takes up where an earlier attempt ended. */
  move(row: QuarantineRow, verdict: Verdict, scannedSha256?: string): Promise<Moved> {
    return moveIn(this.parts, row, verdict, scannedSha256);
  }

  /** Copies back to where it came from and removes the quarantined copy. Never over a newer upload. */
  async release(row: QuarantineRow, originalLastModified: string, by: Decider = {}): Promise<ReleaseOutcome> {
    switch (row.state) {
      case 'deleted':
        return { note: 'the quarantined copy was deleted before' };
      case 'copying':
        return { note: 'the object was never moved' };
      case 'copied': {
        const left = await this.removeCopy(row, 'released');
        return { object: row.original, note: join('the original was still in place', left) };
      }
      case 'moved':
      case 'released': {
        const before = await this.releasedBefore(row, by);
        if (before !== undefined) return before;
        const object = await moveBack(this.parts, row, originalLastModified, by);
        if (object === undefined)
          return { note: 'a newer upload stands at the key; the object stays in quarantine' };
        const left = row.state === 'moved' ? await this.removeCopy(row, 'released') : undefined;
        return { object, note: left };
      }
      default:
        return row.state satisfies never;
    }
  }

  /** It was released by another decision: whatever stands at the key by now, that one answers for it. */
  private async releasedBefore(row: QuarantineRow, by: Decider): Promise<ReleaseOutcome | undefined> {
    const release = await readRelease(this.parts.db, row.scanId);
    if (release?.isVerified !== true || release.reviewId === by.reviewId) return undefined;
    const left = row.state === 'moved' ? await this.removeCopy(row, 'released') : undefined;
    return { note: join(`it was released before, by the review ${release.reviewId ?? 'of another'}`, left) };
  }

  /** The same bytes may come again under any key of the bucket. Nothing for an object that was never moved. */
  async allowBytes(scanId: string, by: Decider): Promise<void> {
    const row = await this.find(scanId);
    if (row?.sha256 === undefined) return;
    const { original: ref, sizeBytes, sha256 } = row;
    const at = this.parts.clock.now();
    await this.parts.db.transaction((tx) =>
      allowBytes(tx, { scanId, ref, sizeBytes, sha256, by, at, until: at + ALLOWED_MS }),
    );
  }

  /** Takes back what was begun for an object that is not moved after all. Repeatable. */
  async abandon(scanId: string): Promise<void> {
    const row = await this.find(scanId);
    if (row?.state !== 'copying') return;
    await endUploads(this.parts, await uploadsOf(this.parts.db, scanId));
    // It may be all that is left of an object that was moved in a former life.
    if (await wasRestored(this.parts.db)) return;
    if (row.copy !== undefined) await discardCopy(this.parts, row, 'the object is not moved after all');
  }

  /** Deletes the quarantined copy. */
  async delete(row: QuarantineRow): Promise<Deletion> {
    if (row.state !== 'moved' && row.state !== 'copied') return { performed: row.state === 'deleted' };
    const left = await this.removeCopy(row, 'deleted');
    return { performed: left === undefined, note: left };
  }

  /** Deletes an object that was not moved. */
  async deleteOriginal(scanId: string, object: PinnedObject): Promise<Deletion> {
    const removal = await removeVersion(this.parts.storage, object, this.parts.clock.now());
    const isRemoved = removal.kind === 'removed';
    const note = isRemoved ? removal.note : `left behind: ${removal.reason}: ${removal.detail}`;
    await appendStep(this.parts.db, {
      scanId,
      move: 'deletion',
      step: isRemoved ? 'deleted' : 'left_behind',
      note,
      data: isRemoved ? { otherVersions: removal.others } : undefined,
      at: this.parts.clock.now(),
    });
    return { performed: isRemoved, note };
  }

  /** @returns what keeps the copy, if something does: the move is over all the same. */
  private async removeCopy(row: QuarantineRow, state: 'released' | 'deleted'): Promise<string | undefined> {
    const { scanId, place, copy } = row;
    const removal =
      copy === undefined
        ? undefined
        : await removeVersion(this.parts.storage, { ...place, ...copy }, this.parts.clock.now());
    const move: Move = state === 'released' ? 'release' : 'deletion';
    const isLeft = removal?.kind === 'leftBehind';
    const note = isLeft ? `${removal.reason}: ${removal.detail}` : removal?.note;
    const step = { move, step: isLeft ? 'copy_left_behind' : 'copy_removed', note };
    // A copy that may not be deleted stays the object's place; it is tried again when somebody asks to delete it again.
    if (isLeft && state === 'deleted') {
      await appendStep(this.parts.db, { ...step, scanId, at: this.parts.clock.now() });
    } else {
      await this.parts.db.transaction((tx) =>
        markQuarantine(tx, { scanId, state, step, at: this.parts.clock.now() }),
      );
    }
    return isLeft ? `the quarantined copy could not be deleted: ${note}` : undefined;
  }
}

const join = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined).join('; ');
