import type { Queryable } from '../database/queryable.js';
import { wholeMilliseconds } from '../verdicts/whole-milliseconds.js';
import { admit, NOTHING_RUNS, type Limits, type Load, type Waiting } from './admission.js';
import { giveUp } from './dead-letter.js';
import type { DispatcherParts } from './dispatcher.js';
import { LaneReader } from './lane-reader.js';
import { lockDispatch } from './sql/dispatch-lock.js';
import { markStarted } from './sql/mark-started.js';
import { postponeItems, recallPostponed } from './sql/postpone-items.js';
import { groupOf, type LaneRow } from './sql/queue-lanes.js';
import { runningScans, type RunningRow } from './sql/running-scans.js';
import { takeItems, type BacklogRow } from './sql/take-items.js';
import { startFailure, type StartFailure } from './start-failure.js';

/** What an object of unknown size counts as until inspect tells: few are larger, and most events tell. */
export const ASSUMED_BYTES = 16 * 1024 ** 2;

// Bounds how long one look holds its items; the next one comes at once.
const MAX_STARTS = 256;
const RECALL_EVERY_MS = 1000;
const MAX_RECALLED = 1000;

/** What one look came to. */
export interface Look {
  readonly started: number;
  /** Something waits that may start once a place is free. */
  readonly anyWait: boolean;
  /** The next look need not wait for anything. */
  readonly again: boolean;
  /** Another node was looking. */
  readonly turnedAway: boolean;
}

const NOTHING: Look = { started: 0, anyWait: false, again: false, turnedAway: false };

/** One look at the backlog after another, by one node at a time. */
export class LookTurn {
  private heldOffUntil = 0;
  private recalledAt = -Infinity;
  /** Says whose turn the next place is; begins anew with the process. */
  private admitted = 0;

  constructor(
    private readonly parts: DispatcherParts,
    private readonly stopping: AbortSignal,
  ) {}

  /** @param most starts nothing more in this look. */
  async take(most = Infinity): Promise<Look> {
    if (this.parts.clock.now() < this.heldOffUntil) return { ...NOTHING, anyWait: true };
    // The lock ends with the transaction: a pooler may give the next statement another connection.
    return this.parts.database.transaction(async (tx) =>
      (await lockDispatch(tx)) ? this.look(tx, most) : { ...NOTHING, anyWait: true, turnedAway: true },
    );
  }

  private async look(tx: Queryable, most: number): Promise<Look> {
    const { clock, maxRunning } = this.parts;
    const now = wholeMilliseconds(clock);
    if (now >= this.recalledAt + RECALL_EVERY_MS) {
      await recallPostponed(tx, { now, limit: MAX_RECALLED });
      this.recalledAt = now;
    }
    const running = loadsOf(
      await runningScans(tx, { atMost: 2 * maxRunning + MAX_STARTS, assumedBytes: ASSUMED_BYTES }),
    );
    const count = [...running.values()].reduce((sum, load) => sum + load.count, 0);
    const places = Math.min(maxRunning - count, MAX_STARTS, most);
    // Full: whether something waits is seen when a place is free.
    if (places <= 0) return { ...NOTHING, anyWait: true };
    const reader = new LaneReader(tx, { now, places, assumedBytes: ASSUMED_BYTES });
    await reader.open();
    if (reader.rows.length === 0) return NOTHING;
    const chosen = await this.choose(reader, running, places);
    const taken = await takeItems(
      tx,
      chosen.map(({ scanId }) => scanId),
    );
    const { started, failed } = await this.start(tx, taken);
    this.admitted += started;
    const isFull = chosen.length === MAX_STARTS;
    return { started, anyWait: true, again: failed > 0 || (isFull && started > 0), turnedAway: false };
  }

  /** Asks the pure admission, and reads further into the queues where it says so. */
  private async choose(
    reader: LaneReader,
    running: ReadonlyMap<string, Load>,
    places: number,
  ): Promise<readonly Waiting[]> {
    const { maxRunning, maxRunningBytes } = this.parts;
    const limitsOf = this.limitsOf(reader.rows);
    for (;;) {
      const { admitted, short } = admit({
        lanes: reader.lanes,
        running,
        limits: { maxRunning, maxRunningBytes },
        limitsOf,
        admittedBefore: this.admitted,
      });
      if (short.length === 0 || admitted.length >= places) return admitted.slice(0, places);
      await reader.deepen(short);
    }
  }

  private limitsOf(lanes: readonly LaneRow[]): (group: string) => Limits {
    const quotas = new Map<string, Limits>();
    for (const lane of lanes) {
      const { maxRunning, maxRunningBytes } = this.parts.quotasOf?.(lane.endpoint_id, lane.bucket) ?? {};
      quotas.set(groupOf(lane), { maxRunning, maxRunningBytes });
    }
    return (group) => quotas.get(group) ?? {};
  }

  /** Starts these and records what became of each, in this transaction: nobody cancels one that is being started. */
  private async start(
    tx: Queryable,
    rows: readonly BacklogRow[],
  ): Promise<{ readonly started: number; readonly failed: number }> {
    // At once, so that the engine can commit them in one batch.
    const outcomes = await Promise.all(rows.map((row) => this.startOne(row)));
    const { clock, onStarted, onFailed } = this.parts;
    this.complain(outcomes);
    const now = wholeMilliseconds(clock);
    const started = outcomes.filter((outcome) => outcome.kind === 'started');
    const retried = outcomes.filter((outcome) => outcome.kind === 'retry');
    const hopeless = outcomes.filter((outcome) => outcome.kind === 'hopeless');
    if (started.length > 0) await markStarted(tx, started, now);
    if (retried.length > 0) {
      const again = retried.map(({ scanId, afterMs, reason }) => ({
        scanId,
        notBefore: now + afterMs,
        error: reason,
      }));
      await postponeItems(tx, again);
    }
    const buried = await giveUp(tx, hopeless, now);
    // Objects that somebody works on now: their letters are written a little later.
    const busy = hopeless.filter(({ scanId }) => !buried.some((item) => item.scan_id === scanId));
    if (busy.length > 0) {
      const later = busy.map(({ scanId, reason }) => ({
        scanId,
        notBefore: now + RECALL_EVERY_MS,
        error: reason,
      }));
      await postponeItems(tx, later);
    }
    for (const { source } of started) onStarted?.(source);
    for (const _ of retried) onFailed?.('retry');
    for (const _ of buried) onFailed?.('dead');
    return { started: started.length, failed: retried.length + hopeless.length };
  }

  /** One line for each definition that could not be started, however many wait for it. */
  private complain(outcomes: readonly (Started | Failed)[]): void {
    const told = new Map<string, { readonly first: Failed; scans: number }>();
    for (const outcome of outcomes) {
      if (outcome.kind !== 'retry' && outcome.kind !== 'hopeless') continue;
      const key = `${outcome.kind} ${outcome.workflowName}`;
      const known = told.get(key) ?? { first: outcome, scans: 0 };
      known.scans += 1;
      told.set(key, known);
    }
    for (const { first, scans } of told.values()) {
      const { error: err, scanId, workflowName, kind } = first;
      this.parts.log.warn(
        { err, scanId, workflowName, scans },
        kind === 'retry'
          ? 'scans could not be started; they are tried again'
          : 'scans could not be started; they are kept as dead letters',
      );
    }
  }

  private async startOne(row: BacklogRow): Promise<Started | Failed> {
    const { engine, clock } = this.parts;
    const scanId = row.scan_id;
    if (this.stopping.aborted || clock.now() < this.heldOffUntil)
      return { kind: 'wait', ms: 0, scanId, error: undefined, workflowName: row.workflow_name };
    try {
      const workflowId = await engine.start(
        {
          name: row.workflow_name,
          version: row.workflow_version ?? undefined,
          input: row.input,
          // All runs about one object are found by its id.
          correlationId: row.object_id,
          priority: row.priority,
          idempotencyKey: scanId,
          workflowId: row.workflow_id,
          createdBy: 'system:backlog',
        },
        { kind: 'system', id: 'backlog' },
      );
      return { kind: 'started', scanId, workflowId, source: row.source_class };
    } catch (error) {
      const failure = startFailure(error, row.attempts);
      if (failure.kind === 'wait') {
        // For everybody: nothing else is tried either.
        this.heldOffUntil = Math.max(this.heldOffUntil, clock.now() + failure.ms);
      }
      return { ...failure, scanId, error, workflowName: row.workflow_name };
    }
  }
}

interface Started {
  readonly kind: 'started';
  readonly scanId: string;
  readonly workflowId: string;
  readonly source: LaneRow['source_class'];
}

type Failed = StartFailure & {
  readonly scanId: string;
  readonly error: unknown;
  readonly workflowName: string;
};

function loadsOf(rows: readonly RunningRow[]): ReadonlyMap<string, Load> {
  const loads = new Map<string, Load>();
  for (const row of rows) {
    const { count, bytes, largestBytes } = loads.get(groupOf(row)) ?? NOTHING_RUNS;
    loads.set(groupOf(row), {
      count: count + row.count,
      bytes: bytes + row.bytes,
      largestBytes: Math.max(largestBytes, row.largest_bytes),
    });
  }
  return loads;
}
