import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { ASKED_TOGETHER } from '../../database/together.js';
import { TaskWorker, TerminalError, type TaskOutcome } from '../../engine/ports.js';
import type { Task } from '../../engine/model/execution.js';
import { Ledger } from '../ledger.js';
import { describeIssues } from './input.js';
import { onKnownScan } from './known-scan.js';

const Input = z.object({ scanId: z.string() });

/** The scan's workflow is over: its ledger row is closed. */
@Injectable()
export class CloseScanWorker extends TaskWorker {
  readonly taskType = 'close_scan';
  override readonly concurrency = ASKED_TOGETHER;
  override readonly taskDef = { retryCount: 10, retryDelaySeconds: 2, responseTimeoutSeconds: 60 };

  constructor(private readonly ledger: Ledger) {
    super();
  }

  async execute(task: Task): Promise<TaskOutcome> {
    const parsed = Input.safeParse(task.inputData);
    if (!parsed.success) throw new TerminalError(`close_scan: ${describeIssues(parsed.error)}`);
    await onKnownScan(() => this.ledger.close(parsed.data.scanId));
    return { kind: 'completed', output: {} };
  }
}
