import type { Logger } from 'pino';
import type { Clock } from '../clock.js';
import type { Database } from '../database/database.js';
import type { Engine } from '../engine/ports.js';
import { Overloaded } from '../errors.js';
import { wholeMilliseconds } from '../verdicts/whole-milliseconds.js';
import { admit } from './admission.js';
import type { BacklogBell } from './backlog-bell.js';
import { markStarted, postpone } from './sql/mark-started.js';
import { groupOf, runningScans } from './sql/running-scans.js';
import { waitingItems, type BacklogRow } from './sql/waiting-items.js';

// Rings are hints: however many are lost, an upload waits no longer than this.
const LOOK_EVERY_MS = 1000;
// Any constant works as long as every process uses the same one.
const DISPATCHER_LOCK = 7_205_001_002;
const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 60_000;

export interface DispatcherParts {
  readonly database: Database;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly bell: BacklogBell;
  readonly log: Logger;
  /** Scans that may run at once, over all nodes. */
  readonly maxRunning: number;
}

/**
 * Starts the workflows of what waits, as many as may run. One node at a time dispatches, by an advisory lock that ends
 * with its transaction. A start is repeatable (derived id), so a crash between starting a workflow and recording it
 * starts nothing twice and loses nothing.
 */
export class Dispatcher {
  private readonly stopping = new AbortController();
  private loop: Promise<void> | undefined;
  private pausedUntil = 0;

  constructor(private readonly parts: DispatcherParts) {}

  start(): void {
    this.loop ??= this.run();
  }

  /** Starts nothing more, and waits for the start that is under way. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.loop;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const look = new AbortController();
      const stop = (): void => look.abort();
      signal.addEventListener('abort', stop, { once: true });
      // Before the look, so that a ring during it is not missed.
      const rung = this.parts.bell.wait(look.signal);
      const started = await this.tryDispatch();
      if (started === 0) {
        const second = this.parts.clock.sleepUntil(this.parts.clock.now() + LOOK_EVERY_MS, look.signal);
        await Promise.race([rung, second]);
      }
      look.abort();
      signal.removeEventListener('abort', stop);
    }
  }

  /** One look that never throws: a database that is away is asked again each second. */
  private async tryDispatch(): Promise<number> {
    try {
      return await this.dispatch();
    } catch (error) {
      this.parts.log.warn({ err: error }, 'the backlog could not be read');
      return 0;
    }
  }

  /** Starts what may start now. @returns how many workflows were started. */
  async dispatch(): Promise<number> {
    if (this.parts.clock.now() < this.pausedUntil) return 0;
    // The lock ends with the transaction: a pooler may give the next statement another connection.
    return this.parts.database.transaction(async (tx) => {
      const [lock] = await tx.query<{ held: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS held', [
        DISPATCHER_LOCK,
      ]);
      return lock?.held === true ? this.startAdmitted() : 0;
    });
  }

  private async startAdmitted(): Promise<number> {
    const { database, clock, maxRunning } = this.parts;
    const now = wholeMilliseconds(clock);
    const running = await runningScans(database);
    const free = maxRunning - [...running.values()].reduce((sum, count) => sum + count, 0);
    if (free <= 0) return 0;
    const rows = await waitingItems(database, { now, perBucket: free });
    const byScan = new Map(rows.map((row) => [row.scan_id, row]));
    const waiting = rows.map((row) => ({
      scanId: row.scan_id,
      group: groupOf(row),
      priority: row.priority,
      enqueuedAt: row.enqueued_at,
    }));
    const admitted = admit({ waiting, running, limit: maxRunning, now });
    const chosen = admitted.map(({ scanId }) => byScan.get(scanId)).filter((row) => row !== undefined);
    // At once, so that the engine can commit them in one batch.
    const outcomes = await Promise.all(chosen.map((row) => this.startOne(row)));
    return outcomes.filter(Boolean).length;
  }

  /** @returns whether it runs now; a failure is recorded with the item and tried again later. */
  private async startOne(row: BacklogRow): Promise<boolean> {
    const { database, engine, clock, log } = this.parts;
    if (this.stopping.signal.aborted || clock.now() < this.pausedUntil) return false;
    try {
      const workflowId = await engine.start(
        {
          name: row.workflow_name,
          version: row.workflow_version ?? undefined,
          input: row.input,
          // All runs about one object are found by its id.
          correlationId: row.object_id,
          priority: row.priority,
          idempotencyKey: row.scan_id,
          workflowId: row.workflow_id,
          createdBy: 'system:backlog',
        },
        { kind: 'system', id: 'backlog' },
      );
      await markStarted(database, { scanId: row.scan_id, workflowId, at: wholeMilliseconds(clock) });
      return true;
    } catch (error) {
      if (error instanceof Overloaded) {
        // The engine is full for everybody: nothing else is tried either.
        this.pausedUntil = clock.now() + error.retryAfterSeconds * 1000;
        return false;
      }
      const delay = Math.min(FIRST_RETRY_MS * 2 ** Math.min(row.attempts, 10), MAX_RETRY_MS);
      log.warn(
        { err: error, scanId: row.scan_id, workflowId: row.workflow_id },
        'a scan could not be started',
      );
      await postpone(database, {
        scanId: row.scan_id,
        notBefore: wholeMilliseconds(clock) + delay,
        error: asError(error).message.slice(0, 1000),
      });
      return false;
    }
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
