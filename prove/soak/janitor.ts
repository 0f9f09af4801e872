import { setTimeout as delay } from 'node:timers/promises';
import { Clock, type Instant } from '../../src/clock.js';
import { Database } from '../../src/database/database.js';
import { PostgresExecutionStore } from '../../src/engine/postgres/postgres-execution-store.js';
import { Housekeeping } from '../../src/engine/retention/housekeeping.js';
import { Retention } from '../../src/engine/retention/retention.js';
import { SILENT } from '../../src/engine/runtime/runtime-log.js';

const DAY_MS = 86_400_000;

/** The time a day from now less the time that ended workflows are to be kept: retention counts in whole days. */
class AheadClock extends Clock {
  constructor(private readonly keptMs: number) {
    super();
  }

  now(): Instant {
    return performance.timeOrigin + performance.now() + DAY_MS - this.keptMs;
  }

  async sleepUntil(at: Instant, signal?: AbortSignal): Promise<void> {
    // Stopped naps end early; that is all that the signal is for.
    await delay(Math.max(0, at - this.now()), undefined, { signal }).catch(() => undefined);
  }
}

/** The service's own housekeeping, which removes here after minutes what it would remove after days. */
export class Janitor {
  private readonly database: Database;
  private readonly store: PostgresExecutionStore;
  private readonly retention: Retention;
  private readonly housekeeping: Housekeeping;
  private readonly stopping = new AbortController();
  private loop: Promise<void> = Promise.resolve();
  private failure: unknown;
  rounds = 0;

  constructor(
    url: string,
    keptMs: number,
    private readonly everyMs: number,
  ) {
    this.database = new Database(url, { maxConnections: 3, applicationName: 'soak-janitor' });
    this.store = new PostgresExecutionStore(this.database);
    const clock = new AheadClock(keptMs);
    const { database: db, store } = this;
    this.retention = new Retention({
      db,
      clock,
      log: SILENT,
      defaultDays: 1,
      holds: () => [],
      // The engine's queue is in another process; what is to be seen is that its speed stays the same all the same.
      isBusy: () => false,
    });
    const { retention } = this;
    this.housekeeping = new Housekeeping({ db, store, clock, log: SILENT, retention, payloads: undefined });
  }

  start(): void {
    this.loop = this.run().catch((error: unknown) => {
      this.failure = error;
    });
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      await this.housekeeping.once();
      this.rounds += 1;
      // Woken to stop.
      await delay(this.everyMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  /** @throws what ended it before its time. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.retention.stop();
    await this.loop;
    await this.store.close();
    await this.database.close();
    if (this.failure !== undefined) throw this.failure;
  }
}
