import { setTimeout as sleep } from 'node:timers/promises';
import { Gauge, type Registry } from 'prom-client';

// A scrape waits for no database: after this it is answered with what was read before.
const PATIENCE_MS = 250;

/** What gauges show that are read at a scrape. */
export class Scraped<Reading> {
  private last: Reading | undefined;

  /** @param failed hears of a reading that could not be had; the last one is shown meanwhile. */
  constructor(
    private readonly registry: Registry,
    private readonly read: () => Promise<Reading>,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Registers a gauge. @param fill sets it anew from the newest reading that could be had soon. */
  gauge(
    name: string,
    help: string,
    labelNames: readonly string[],
    fill: (gauge: Gauge, reading: Reading) => void,
  ): void {
    const newest = () => this.newest();
    void new Gauge({
      name,
      help,
      labelNames,
      registers: [this.registry],
      async collect() {
        const reading = await newest();
        this.reset();
        if (reading !== undefined) fill(this, reading);
      },
    });
  }

  private async newest(): Promise<Reading | undefined> {
    const late = new AbortController();
    const reading = this.read().then((read) => (this.last = read), this.failed);
    await Promise.race([
      reading,
      sleep(PATIENCE_MS, undefined, { signal: late.signal, ref: false }).catch(ended),
    ]);
    late.abort();
    return this.last;
  }
}

/** The wait was not needed any more. */
const ended = (): undefined => undefined;
