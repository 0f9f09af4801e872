import type { ExecutionStore, StoreReadings } from '../execution-store.js';
import type { RuntimeLog } from '../runtime/runtime-log.js';

/** A scrape is answered after this with what was read before. */
const PATIENCE_MS = 30;
const FRESH_MS = 5_000;
// Reading may take a fiftieth of the time, whatever the database's state.
const SHARE = 50;

/**
 * The store's readings for whoever scrapes: read when asked for and old, never by several at once, and never waited for
 * long. Nobody asks: nothing is read.
 */
export class CachedReadings {
  private last: StoreReadings | undefined;
  private freshUntil = -Infinity;
  private reading: Promise<void> | undefined;
  private readAt = 0;

  constructor(
    private readonly store: Pick<ExecutionStore, 'readings'>,
    private readonly log: RuntimeLog,
    /** The types that are always asked for. */
    private readonly taskTypes: () => readonly string[],
    private readonly monotonicMs: () => number = () => performance.now(),
  ) {}

  /** The newest readings that can be had in 30 ms; `undefined` when there never were any. */
  async current(): Promise<StoreReadings | undefined> {
    if (this.monotonicMs() >= this.freshUntil) {
      this.reading ??= this.read().finally(() => (this.reading = undefined));
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, PATIENCE_MS);
      });
      await Promise.race([this.reading, patience]);
      clearTimeout(timer);
    }
    return this.last;
  }

  /** Seconds since the readings were taken. */
  get ageSeconds(): number {
    return this.last === undefined ? 0 : (this.monotonicMs() - this.readAt) / 1000;
  }

  private async read(): Promise<void> {
    const startedAt = this.monotonicMs();
    try {
      this.last = await this.store.readings(this.taskTypes());
      this.readAt = startedAt;
    } catch (error) {
      this.log.warn({ err: error }, 'the figures for /metrics could not be read; the last ones are shown');
    }
    const endedAt = this.monotonicMs();
    this.freshUntil = endedAt + Math.max(FRESH_MS, SHARE * (endedAt - startedAt));
  }
}
