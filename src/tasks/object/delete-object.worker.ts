import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import type { Task } from '../../engine/model/execution.js';
import { TaskWorker, type TaskOutcome } from '../../engine/ports.js';
import { Buckets } from '../../s3/buckets.js';
import { ObjectStorage } from '../../s3/object-storage.js';
import { Ledger, type ScanContext } from '../../verdicts/ledger.js';
import { gapOf, noteOf } from '../storage-failure.js';
import { readInput, ScanInput } from '../task-input.js';
import { Quarantine } from './quarantine.js';
import { currentOf, policyOf, scanOf } from './subject.js';

interface Deleted {
  readonly performed: boolean;
  readonly note?: string | undefined;
}

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
    const { scanId } = readInput(ScanInput, task);
    const scan = await scanOf(this.ledger, scanId);
    const deleted = await this.delete(scan).catch((error: unknown) => {
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

  private async delete(scan: ScanContext): Promise<Deleted> {
    const row = await this.quarantine.find(scan.scanId);
    const { actionMode } = policyOf(this.buckets, scan);
    if (this.config.DRY_RUN) return { performed: false, note: 'dry run: would delete it' };
    if (row !== undefined && row.state !== 'copying') {
      if (row.state === 'released') return { performed: false, note: 'it was released before' };
      await this.quarantine.delete(row);
      if (row.state !== 'copied') return { performed: true };
    }
    // Not moved, or only copied because the original could not be deleted at the time.
    if (actionMode !== 'quarantine') {
      return { performed: false, note: `ACTION_MODE=${actionMode}: recorded, not deleted` };
    }
    const { object } = await currentOf(this.storage, scan);
    await this.storage.deleteVersion(object);
    return { performed: true };
  }
}
