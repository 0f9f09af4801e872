import { Clock, type Instant } from '../../src/clock.js';

interface Sleeper {
  readonly at: Instant;
  readonly wake: () => void;
}

/** A clock that stands still until the test moves it, and wakes who sleeps. */
export class FakeClock extends Clock {
  private readonly sleepers = new Set<Sleeper>();

  constructor(private current: Instant = Date.UTC(2026, 10, 23, 12)) {
    super();
  }

  now(): Instant {
    return this.current;
  }

  sleepUntil(at: Instant, signal?: AbortSignal): Promise<void> {
    if (at <= this.current || signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.sleepers.delete(sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper = { at, wake };
      this.sleepers.add(sleeper);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /** Moves the time forward and wakes everybody whose time has come, earliest first. */
  advance(milliseconds: number): void {
    this.current += milliseconds;
    const due = [...this.sleepers].filter(({ at }) => at <= this.current).sort((a, b) => a.at - b.at);
    for (const { wake } of due) wake();
  }

  /** How many sleep now; when the next of them wakes. */
  get sleeping(): { count: number; nextAt: Instant | undefined } {
    const times = [...this.sleepers].map(({ at }) => at);
    return { count: times.length, nextAt: times.length === 0 ? undefined : Math.min(...times) };
  }
}
