import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import type { JsonObject } from '../../engine/model/json.js';
import { RestoreHold } from '../../database/restore-hold.js';
import type { Task } from '../../engine/model/execution.js';
import { TaskWorker, TerminalError, type TaskOutcome } from '../../engine/ports.js';
import { ObjectStorage, type PinnedObject } from '../../s3/object-storage.js';
import { Ledger, type ScanContext } from '../../verdicts/ledger.js';
import { gapOf, noteOf } from '../storage-failure.js';
import { readInput, ScanInput } from '../task-input.js';
import { HELD } from './held.js';
import { Quarantine, type ReleaseOutcome } from './quarantine.js';
import type { Decider } from './sql/released-objects.js';
import { knownScan } from '../../verdicts/workers/known-scan.js';
import { currentOf } from './subject.js';

const Input = ScanInput.extend({
  /** The decision, as the review's task gave it. */
  review: z.object({ reviewId: z.string().nullish(), decidedBy: z.string().nullish() }).nullish(),
  /**
   * What the decision lets pass: this one release, or the same bytes again under any key of the bucket, for 90 days. Only a
   * definition that asked its reviewers for that says so.
   */
  allow: z.enum(['this_release', 'same_bytes_in_bucket']).nullish(),
});

/** Gives an object back that a person let pass: exactly the bytes that were moved, at the key that they had. */
@Injectable()
export class ReleaseObjectWorker extends TaskWorker {
  readonly taskType = 'release_object';
  override readonly taskDef = {
    retryCount: 5,
    retryLogic: 'EXPONENTIAL_BACKOFF' as const,
    retryDelaySeconds: 2,
    responseTimeoutSeconds: 3600,
  };

  constructor(
    private readonly hold: RestoreHold,
    private readonly ledger: Ledger,
    private readonly storage: ObjectStorage,
    private readonly quarantine: Quarantine,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    super();
  }

  async execute(task: Task): Promise<TaskOutcome> {
    if (await this.hold.isHeld()) return HELD;
    const { scanId, review, allow } = readInput(Input, task);
    const scan = await knownScan(this.ledger, scanId);
    const by = { reviewId: review?.reviewId ?? undefined, decidedBy: review?.decidedBy ?? undefined };
    const released = await this.release(scan, task, by).catch((error: unknown) =>
      this.told(scan, task, error),
    );
    if (allow === 'same_bytes_in_bucket' && released.object !== undefined && !this.config.DRY_RUN) {
      await this.quarantine.allowBytes(scanId, by);
    }
    await this.ledger.recordAction(scanId, task.taskId, {
      action: 'released',
      performed: released.object !== undefined,
      note: released.note,
      at: this.clock.now(),
      ...(released.object !== undefined && { data: plain(released.object) }),
    });
    return {
      kind: 'completed',
      output: {
        outcome: released.object === undefined ? 'not_released' : 'released',
        object: released.object === undefined ? null : plain(released.object),
        note: released.note ?? '',
      },
    };
  }

  private async release(scan: ScanContext, task: Task, by: Decider): Promise<ReleaseOutcome> {
    const row = await this.quarantine.find(scan.scanId);
    if (row === undefined) return this.inPlace(scan, task);
    if (this.config.DRY_RUN) return { note: 'dry run: would move it back' };
    try {
      return await this.quarantine.release(row, scan.facts?.lastModified ?? new Date(0).toISOString(), by);
    } catch (error) {
      return { note: noteOf(gapOf(error, task)) };
    }
  }

  /** What cannot be given back any more is said in the ledger too, before the workflow fails by it. */
  private async told({ scanId }: ScanContext, task: Task, error: unknown): Promise<never> {
    if (error instanceof TerminalError)
      await this.ledger.recordAction(scanId, task.taskId, {
        action: 'released',
        performed: false,
        note: error.message,
        at: this.clock.now(),
      });
    throw error;
  }

  private async inPlace(scan: ScanContext, task: Task): Promise<ReleaseOutcome> {
    try {
      const { object } = await currentOf(this.storage, scan);
      return { object, note: 'the object was never moved' };
    } catch (error) {
      return { note: noteOf(gapOf(error, task)) };
    }
  }
}

const plain = (object: PinnedObject): JsonObject => ({
  endpointId: object.endpointId,
  bucket: object.bucket,
  key: object.key,
  versionId: object.versionId ?? null,
  eTag: object.eTag,
});
