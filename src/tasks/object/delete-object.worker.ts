import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { RestoreHold } from '../../database/restore-hold.js';
import type { Task } from '../../engine/model/execution.js';
import { TaskWorker, type TaskOutcome } from '../../engine/ports.js';
import { Buckets, type BucketPolicy } from '../../s3/buckets.js';
import { ObjectStorage } from '../../s3/object-storage.js';
import { Ledger, type ScanContext } from '../../verdicts/ledger.js';
import { gapOf, noteOf } from '../storage-failure.js';
import { readInput, ScanInput } from '../task-input.js';
import { HELD } from './held.js';
import { Quarantine, type Deletion } from './quarantine.js';
import type { QuarantineRow } from './sql/quarantined-objects.js';
import { knownScan } from '../../verdicts/workers/known-scan.js';
import { currentOf, policyOf } from './subject.js';

/** Deletes what a person decided to delete: the quarantined copy, or the scanned version where it was not moved. */
@Injectable()
export class DeleteObjectWorker extends TaskWorker {
  readonly taskType = 'delete_object';
  override readonly taskDef = {
    retryCount: 5,
    retryLogic: 'EXPONENTIAL_BACKOFF' as const,
    retryDelaySeconds: 2,
    responseTimeoutSeconds: 120,
  };

  constructor(
    private readonly hold: RestoreHold,
    private readonly ledger: Ledger,
    private readonly buckets: Buckets,
    private readonly storage: ObjectStorage,
    private readonly quarantine: Quarantine,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    super();
  }

  async execute(task: Task): Promise<TaskOutcome> {
    if (await this.hold.isHeld()) return HELD;
    const { scanId } = readInput(ScanInput, task);
    const scan = await knownScan(this.ledger, scanId);
    const deleted = await this.delete(scan).catch((error: unknown): Deletion => {
      return { performed: false, note: noteOf(gapOf(error, task)) };
    });
    await this.ledger.recordAction(scanId, task.taskId, {
      action: 'deleted',
      performed: deleted.performed,
      note: deleted.note,
      at: this.clock.now(),
    });
    return { kind: 'completed', output: { deleted: deleted.performed, note: deleted.note ?? '' } };
  }

  private async delete(scan: ScanContext): Promise<Deletion> {
    const row = await this.quarantine.find(scan.scanId);
    const policy = policyOf(this.buckets, scan);
    if (row?.state === 'released') return { performed: false, note: 'it was released before' };
    if (this.config.DRY_RUN) return { performed: false, note: 'dry run: would delete it' };
    // The original first: once the copy is gone, nothing says any more that the original was only copied.
    const isMoved = row?.state === 'moved' || row?.state === 'deleted';
    const ofOriginal = isMoved ? undefined : await this.deleteOriginal(scan, policy, row);
    const isCopied = row !== undefined && row.state !== 'copying';
    const ofCopy = isCopied ? await this.quarantine.delete(row) : undefined;
    return {
      performed: ofOriginal?.performed !== false && ofCopy?.performed !== false,
      note: [ofOriginal?.note, ofCopy?.note].filter((note) => note !== undefined).join('; ') || undefined,
    };
  }

  private async deleteOriginal(
    scan: ScanContext,
    { actionMode }: BucketPolicy,
    row: QuarantineRow | undefined,
  ): Promise<Deletion> {
    if (actionMode !== 'quarantine') {
      return { performed: false, note: `the bucket's mode is ${actionMode}: recorded, not deleted` };
    }
    const object = row?.original ?? (await currentOf(this.storage, scan)).object;
    return this.quarantine.deleteOriginal(scan.scanId, object);
  }
}
