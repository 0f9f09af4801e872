import { setTimeout as sleep } from 'node:timers/promises';
import { Clock, type Instant } from '../clock.js';
import type { Queryable } from './queryable.js';

const MEASURE_EVERY_MS = 30_000;
// A machine that slept, or whose clock was set, is noticed within this: monotonic time stands still in its sleep.
const COMPARE_EVERY_MS = 1_000;
const NOTICED_MS = 500;
// The fastest of a few round trips has the smallest error.
const SAMPLES = 3;
/** More than this between two clocks is a fault of one of them. */
export const MAX_SKEW_MS = 2_000;
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The part of pino that the clock uses. */
export interface ClockLog {
  warn(facts: object, message: string): void;
}

/**
 * Monotonic time of this process plus the offset to PostgreSQL's clock, measured at the start, every 30 s, on demand
 * (after a reconnect) and within a second after this machine slept. A step of the local wall clock does not show.
 *
 * It never goes back: where PostgreSQL's clock was set back, this one runs at half speed until the two agree again, so
 * that what waits still comes due.
 */
export class DatabaseClock extends Clock {
  private offset: number;
  private latest: Instant = 0;
  private latestAt = performance.now();
  private readonly naps = new Set<() => void>();
  private steppedAt: Instant | undefined;
  private readonly stopping = new AbortController();
  private steps = 0;

  private constructor(
    private readonly db: Queryable,
    private readonly log: ClockLog | undefined,
  ) {
    super();
    this.offset = performance.timeOrigin;
  }

  /** Measures once and keeps measuring until `stop`. Rejects when the database does not answer. */
  static async start(db: Queryable, log?: ClockLog): Promise<DatabaseClock> {
    const clock = new DatabaseClock(db, log);
    await clock.measure();
    void clock.keepMeasuring();
    return clock;
  }

  now(): Instant {
    const at = performance.now();
    const now = at + this.offset;
    if (now >= this.latest) this.latest = now;
    else this.latest += Math.max(0, at - this.latestAt) / 2;
    this.latestAt = at;
    return Math.floor(this.latest);
  }

  async sleepUntil(at: Instant, signal?: AbortSignal): Promise<void> {
    for (let left = at - this.now(); left > 0; left = at - this.now()) {
      if (signal?.aborted === true) return;
      await this.nap(Math.min(left, MAX_TIMER_MS), signal);
    }
  }

  private nap(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.naps.delete(wake);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      this.naps.add(wake);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /** How far PostgreSQL's clock is ahead of this machine's wall clock, in milliseconds; over 2,000 is unhealthy. */
  get skewMs(): number {
    return performance.now() + this.offset - Date.now();
  }

  /** How often a measurement moved the time by more than 2 s: somebody set a clock. */
  get stepCount(): number {
    return this.steps;
  }

  /** When it was last moved by such a step; `undefined` for never. */
  get lastStepAt(): Instant | undefined {
    return this.steppedAt;
  }

  /** Takes the offset anew. */
  async measure(): Promise<void> {
    let best = Infinity;
    let offset = this.offset;
    for (let sample = 0; sample < SAMPLES; sample++) {
      const before = performance.now();
      const [row] = await this.db.query<{ at: string }>(
        'SELECT extract(epoch FROM clock_timestamp()) * 1000 AS at',
      );
      const after = performance.now();
      if (row === undefined || after - before >= best) continue;
      best = after - before;
      offset = Number(row.at) - (before + after) / 2;
    }
    const stepMs = Math.round(offset - this.offset);
    if (this.latest > 0 && Math.abs(stepMs) > MAX_SKEW_MS) {
      this.steps += 1;
      this.log?.warn({ stepMs }, "the time stepped: PostgreSQL's clock was set, or this machine slept");
    }
    this.offset = offset;
    if (this.latest === 0 || Math.abs(stepMs) <= MAX_SKEW_MS) return;
    this.steppedAt = this.now();
    // Who sleeps counts in monotonic time; the moment may have come already.
    if (stepMs > 0) for (const wake of this.naps) wake();
  }

  private async keepMeasuring(): Promise<void> {
    const { signal } = this.stopping;
    let measuredAt = performance.now();
    let drift = Date.now() - performance.now();
    while (!signal.aborted) {
      await sleep(COMPARE_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      const now = performance.now();
      const hasJumped = Math.abs(Date.now() - now - drift) > NOTICED_MS;
      if (!hasJumped && now - measuredAt < MEASURE_EVERY_MS) continue;
      measuredAt = now;
      drift = Date.now() - now;
      // While the database is away the last offset is as good as any; the next round measures again.
      await this.measure().catch(() => undefined);
    }
  }

  /** Ends the measuring; the clock goes on with its last offset. */
  stop(): void {
    this.stopping.abort();
  }
}
