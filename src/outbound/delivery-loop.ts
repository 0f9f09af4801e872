import type { Clock } from '../clock.js';
import type { Queryable } from '../database/queryable.js';
import type { RestoreHold } from '../database/restore-hold.js';
import { MAX_ATTEMPTS, retryDelaySeconds } from './back-off.js';
import type { Log } from '../ops/log.js';
import type { OutboxBell } from './outbox-bell.js';
import type { Delivery, OutboxDelivery, OutboxHandler } from './outbox.js';
import { claimDue, type ClaimedRow } from './sql/claim-due.js';
import { settle, type Settlement } from './sql/settle.js';

// Rings are hints: however many are lost, a message waits no longer than this.
const LOOK_EVERY_MS = 1000;
/*
 * A ring is for whichever kind, so most loops find nothing. With a hundred changes a second each of a dozen loops would look
 * as often; after a look in vain the next one waits so long.
 */
const EMPTY_PAUSE_MS = 50;
// The lease outlives the attempt, so that a slow answer is settled by its own process.
const LEASE_MARGIN_MS = 5000;

// A service that is asked to stop must be gone in ten seconds, with everything after us.
const STOP_WITHIN_MS = 4000;

export interface DeliveryParts {
  readonly db: Queryable;
  readonly clock: Clock;
  readonly bell: OutboxBell;
  readonly log: Log;
  /** While it lasts, nothing leaves. */
  readonly hold: Pick<RestoreHold, 'isHeld'>;
  /** Names this process in leases. */
  readonly owner: string;
  /** In [0, 1). */
  readonly random: () => number;
}

/**
 * Delivers the messages of one kind, each at least once, and more than once only when an answer was lost.
 *
 * A handler's error never ends the loop; a database that is away is asked again each second.
 */
export class DeliveryLoop {
  private readonly stopping = new AbortController();
  private readonly inFlight = new Set<Promise<void>>();
  private running: Promise<void> | undefined;

  constructor(
    private readonly handler: OutboxHandler,
    private readonly parts: DeliveryParts,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  /**
   * Takes nothing more, and waits a moment for what is under way. What takes longer is left to its lease: another
   * process, or our next start, delivers it as ambiguous.
   */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, STOP_WITHIN_MS);
    });
    await Promise.race([Promise.all(this.inFlight), patience]);
    clearTimeout(timer);
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    let next: Promise<void> | undefined;
    while (!signal.aborted) {
      // Before the look, so that a ring during it is not missed.
      next ??= this.parts.bell.wait(LOOK_EVERY_MS, signal).finally(() => {
        next = undefined;
      });
      const isFull = this.inFlight.size >= this.handler.concurrency;
      const taken = await this.takeSome();
      const lookedAt = performance.now();
      if (taken === 0 || this.inFlight.size >= this.handler.concurrency) {
        await Promise.race([next, ...this.inFlight]);
      }
      if (taken === 0 && !isFull) await rest(lookedAt + EMPTY_PAUSE_MS - performance.now(), signal);
    }
  }

  /** Starts the delivery of whatever is due and fits. @returns how many. */
  private async takeSome(): Promise<number> {
    const limit = this.handler.concurrency - this.inFlight.size;
    if (limit <= 0) return 0;
    try {
      if (this.handler.leaves && (await this.parts.hold.isHeld())) return 0;
      const rows = await this.claim(limit);
      for (const row of rows) {
        const delivery = this.deliver(row).finally(() => {
          this.inFlight.delete(delivery);
          // The next of its group may be due now, in whichever loop.
          if (row.order_group !== null) this.parts.bell.ring();
        });
        this.inFlight.add(delivery);
      }
      return rows.length;
    } catch (error) {
      this.parts.log.warn({ err: error, kind: this.handler.kind }, 'the outbox could not be read');
      return 0;
    }
  }

  private claim(limit: number): Promise<ClaimedRow[]> {
    const now = Math.round(this.parts.clock.now());
    return claimDue(this.parts.db, {
      kind: this.handler.kind,
      owner: this.parts.owner,
      now,
      leaseUntil: now + this.handler.timeoutSeconds * 1000 + LEASE_MARGIN_MS,
      limit,
    });
  }

  private async deliver(row: ClaimedRow): Promise<void> {
    const { kind, key, attempt } = row;
    const result = await this.attempt(row);
    const settlement = this.settlementOf(row, result);
    try {
      const held = await settle(this.parts.db, settlement);
      if (!held) this.parts.log.warn({ kind, key, attempt }, 'the lease ran out during delivery');
    } catch (error) {
      // Left as `sending`: when the lease ends it is taken again, as ambiguous.
      this.parts.log.warn({ err: error, kind, key, attempt }, 'a delivery could not be recorded');
      return;
    }
    if (result.kind === 'sent') this.parts.log.debug({ kind, key, attempt }, 'delivered');
    else if (result.kind === 'later')
      this.parts.log.debug({ kind, key, reason: result.reason }, 'a delivery waits for its turn');
    else if (settlement.state === 'failed')
      this.parts.log.error({ kind, key, attempt, reason: result.reason }, 'gave up a delivery');
    else this.parts.log.warn({ kind, key, attempt, reason: result.reason }, 'delivery will be tried again');
  }

  private async attempt(row: ClaimedRow): Promise<Delivery> {
    const message: OutboxDelivery = {
      id: row.id,
      kind: row.kind,
      key: row.key,
      payload: row.payload,
      attempt: row.attempt,
      ambiguous: row.ambiguous,
      enqueuedAt: Number(row.created_at),
      ...(row.order_group === null ? {} : { group: row.order_group }),
    };
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Delivery>((resolve) => {
      timer = setTimeout(
        () => resolve({ kind: 'retry', reason: 'no answer in time', ambiguous: true }),
        this.handler.timeoutSeconds * 1000,
      );
    });
    try {
      return await Promise.race([this.handler.deliver(message), late]);
    } catch (error) {
      return { kind: 'retry', reason: (error as Error).message, ambiguous: true };
    } finally {
      clearTimeout(timer);
    }
  }

  private settlementOf(row: ClaimedRow, result: Delivery): Settlement {
    const now = Math.round(this.parts.clock.now());
    const receipt = result.receipt ?? null;
    const base = { id: row.id, owner: this.parts.owner, attempt: row.attempt, now, receipt };
    if (result.kind === 'sent') return { ...base, state: 'sent' };
    if (result.kind === 'later')
      return {
        ...base,
        state: 'pending',
        isNoAttempt: true,
        reason: result.reason,
        dueAt: now + Math.ceil(result.afterSeconds * 1000),
      };
    if (result.kind === 'giveUp') return { ...base, state: 'failed', reason: result.reason };
    if (row.attempt >= MAX_ATTEMPTS)
      return { ...base, state: 'failed', reason: `${result.reason} (after ${row.attempt} attempts)` };
    const seconds = result.afterSeconds ?? retryDelaySeconds(row.attempt, this.parts.random());
    return {
      ...base,
      state: result.ambiguous === true ? 'ambiguous' : 'pending',
      reason: result.reason,
      dueAt: now + Math.ceil(seconds * 1000),
    };
  }
}

const rest = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (milliseconds <= 0 || signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done, { once: true });
  });
