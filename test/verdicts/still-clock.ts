import { Clock, type Instant } from '../../src/clock.js';

/** A clock that only moves when it is told to. */
export class StillClock extends Clock {
  private readonly sleepers = new Set<{ readonly at: Instant; readonly wake: () => void }>();

  constructor(private at: Instant = Date.UTC(2026, 10, 23, 12)) {
    super();
  }

  now(): Instant {
    return this.at;
  }

  sleepUntil(at: Instant, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (at <= this.at || signal?.aborted === true) return resolve();
      const sleeper = {
        at,
        wake: () => {
          this.sleepers.delete(sleeper);
          resolve();
        },
      };
      this.sleepers.add(sleeper);
      signal?.addEventListener('abort', sleeper.wake, { once: true });
    });
  }

  /** Moves on, and wakes whoever was to be woken by then. */
  advance(milliseconds: number): void {
    this.at += milliseconds;
    for (const sleeper of this.sleepers) if (sleeper.at <= this.at) sleeper.wake();
  }
}
