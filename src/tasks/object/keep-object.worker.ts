import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import type { Task } from '../../engine/model/execution.js';
import { TaskWorker, type TaskOutcome } from '../../engine/ports.js';
import { Ledger } from '../../verdicts/ledger.js';
import { readInput, ScanInput } from '../task-input.js';
import { Quarantine } from './quarantine.js';
import { knownScan } from '../../verdicts/workers/known-scan.js';

/** Leaves the object where it is, and says so in the ledger. */
@Injectable()
export class KeepObjectWorker extends TaskWorker {
  readonly taskType = 'keep_object';
  override readonly taskDef = { retryCount: 5, retryDelaySeconds: 2, responseTimeoutSeconds: 60 };

  constructor(
    private readonly ledger: Ledger,
    private readonly quarantine: Quarantine,
    private readonly clock: Clock,
  ) {
    super();
  }

  async execute(task: Task): Promise<TaskOutcome> {
    const { scanId } = readInput(ScanInput, task);
    await knownScan(this.ledger, scanId);
    const row = await this.quarantine.find(scanId);
    const note = row?.state === 'moved' ? 'stays in quarantine' : 'stays where it is';
    await this.ledger.recordAction(scanId, task.taskId, {
      action: 'kept',
      performed: true,
      note,
      at: this.clock.now(),
    });
    return { kind: 'completed', output: { note } };
  }
}
