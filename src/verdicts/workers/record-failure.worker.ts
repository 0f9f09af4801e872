import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { TaskWorker, TerminalError, type TaskOutcome } from '../../engine/ports.js';
import type { Task } from '../../engine/model/execution.js';
import { Ledger } from '../ledger.js';
import { failure } from '../postgres-ledger.js';
import { describeIssues } from './input.js';
import { knownScan } from './known-scan.js';

const Input = z.object({
  scanId: z.string(),
  failedWorkflowId: z.string().max(255).nullish(),
  reason: z.string().nullish(),
});

/** The failure path: the ledger says that the scan failed and why, unless a verdict was reached before. */
@Injectable()
export class RecordFailureWorker extends TaskWorker {
  readonly taskType = 'record_failure';
  override readonly taskDef = { retryCount: 10, retryDelaySeconds: 2, responseTimeoutSeconds: 60 };

  constructor(private readonly ledger: Ledger) {
    super();
  }

  async execute(task: Task): Promise<TaskOutcome> {
    const parsed = Input.safeParse(task.inputData);
    if (!parsed.success) throw new TerminalError(`record_failure: ${describeIssues(parsed.error)}`);
    const { scanId, failedWorkflowId, reason } = parsed.data;
    await knownScan(this.ledger, scanId);
    const workflowId = failedWorkflowId ?? task.workflowInstanceId;
    await this.ledger.recordVerdict(
      scanId,
      failure('workflow_failed', workflowId, reason?.slice(0, 2000) ?? undefined),
    );
    return { kind: 'completed', output: {} };
  }
}
