import type { Logger } from 'pino';
import type { Clock } from '../clock.js';
import type { Database } from '../database/database.js';
import { isTerminalWorkflow, type WorkflowStatus } from '../engine/model/execution.js';
import type { Engine } from '../engine/ports.js';
import { NotFound } from '../errors.js';
import { Recurring } from '../recurring.js';
import type { Ledger } from '../verdicts/ledger.js';
import { failure } from '../verdicts/postgres-ledger.js';
import { wholeMilliseconds } from '../verdicts/whole-milliseconds.js';
import { unjudgedScans } from './sql/stray-scans.js';

const LOOK_EVERY_MS = 30_000;
// A failed workflow's own failure path comes first; it knows the reason better.
const PATIENCE_MS = 300_000;
// More are found at the next look.
const AT_ONCE = 32;

export interface StrayScansParts {
  readonly database: Database;
  readonly engine: Engine;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Ends scans whose workflow is over and said nothing: terminated by somebody, or failed together with its failure
 * path. Without it each would hold a place among the running ones for ever, and its object would stay pending.
 */
export class StrayScans {
  private readonly looks: Recurring;

  constructor(private readonly parts: StrayScansParts) {
    const { clock, log } = parts;
    this.looks = new Recurring({
      clock,
      log,
      everyMs: LOOK_EVERY_MS,
      onFailure: 'scans without an end could not be looked at',
      turn: (signal) => this.sweep(signal),
    });
  }

  start(): void {
    this.looks.start();
  }

  stop(): Promise<void> {
    return this.looks.stop();
  }

  /** One look. @returns how many scans were ended. */
  async sweep(signal?: AbortSignal): Promise<number> {
    const { database, clock } = this.parts;
    const startedBefore = wholeMilliseconds(clock) - PATIENCE_MS;
    const scans = await unjudgedScans(database, { startedBefore, limit: AT_ONCE });
    let ended = 0;
    for (const scan of scans) {
      if (signal?.aborted === true) break;
      const status = await this.endOf(scan.workflow_id);
      if (status === undefined) continue;
      await this.end(scan.id, scan.workflow_id, status);
      ended += 1;
    }
    return ended;
  }

  /** How the workflow ended, if it did so long enough ago. */
  private async endOf(workflowId: string): Promise<WorkflowStatus | 'LOST' | undefined> {
    const { engine, clock } = this.parts;
    try {
      const { status, endTime = 0 } = await engine.get(workflowId);
      return isTerminalWorkflow(status) && endTime < clock.now() - PATIENCE_MS ? status : undefined;
    } catch (error) {
      if (error instanceof NotFound) return 'LOST';
      throw error;
    }
  }

  private async end(scanId: string, workflowId: string, status: WorkflowStatus | 'LOST'): Promise<void> {
    const { ledger, log } = this.parts;
    const reason = `workflow_${status.toLowerCase()}`;
    log.warn({ scanId, workflowId, status }, 'a scan ended without a verdict');
    await ledger.recordVerdict(scanId, failure(reason, workflowId));
    await ledger.close(scanId);
  }
}
