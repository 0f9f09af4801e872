import { eventMessage } from './event-message.js';
import type { S3EventMessage } from './event-message.js';
import type { EndpointLogger } from './log.js';
import type { Store } from './store.js';

// S3 sends one record a message almost always; more of them at once is what clears a backlog quickly.
const MAX_RECORDS = 200;

export interface DeliveryOptions {
  readonly store: Store;
  readonly region: string;
  readonly logger: EndpointLogger;
  /** Resolves when the message is safe with the receiver. */
  readonly onEvent: (message: S3EventMessage) => Promise<void>;
  /** The wait after a first failure and the longest one; it doubles in between. */
  readonly retryMs: { readonly first: number; readonly most: number };
}

/**
 * Delivers events one message after another, in the order in which they became durable, each at least once.
 *
 * How far it has come is itself in the journal; after a crash the last messages may come again.
 * The backlog stays on disk, so its size costs no memory.
 */
export class EventDelivery {
  private delivered: number;
  private running: Promise<void> | undefined;
  private wakeUp: () => void = () => {};
  private isStopped = false;
  private saving: Promise<void> | undefined;

  constructor(private readonly options: DeliveryOptions) {
    this.delivered = options.store.catalog.delivered;
  }

  start(): void {
    this.options.store.onEvents(() => this.wakeUp());
    this.running = this.run();
  }

  /** Stops after the message that is under way, but waits for it no longer than `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.isStopped = true;
    this.wakeUp();
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    await Promise.race([this.running, grace]);
    clearTimeout(timer);
    await this.saving;
  }

  private async run(): Promise<void> {
    let failures = 0;
    while (!this.isStopped) {
      try {
        const hasDelivered = await this.deliverNext();
        failures = 0;
        if (!hasDelivered) await this.sleep();
      } catch (error) {
        const { first, most } = this.options.retryMs;
        const waitMs = Math.min(first * 2 ** Math.min(failures, 30), most);
        failures += 1;
        this.options.logger.warn(
          { err: error, failures, waitMs },
          'An S3 event was not taken; it is sent again',
        );
        await this.sleep(waitMs);
      }
    }
  }

  private async deliverNext(): Promise<boolean> {
    const { store, region, onEvent } = this.options;
    if (store.catalog.lastEvent <= this.delivered) return false;
    const events = await store.events.next(this.delivered, MAX_RECORDS);
    const last = events.at(-1);
    if (last === undefined || this.isStopped) return false;
    await onEvent(eventMessage(events, region));
    this.delivered = last.n;
    this.save();
    return true;
  }

  /** One write of the progress at a time; what comes meanwhile is in the next one. */
  private save(): void {
    this.saving ??= this.saveAll().finally(() => {
      this.saving = undefined;
    });
  }

  private async saveAll(): Promise<void> {
    const { store, logger } = this.options;
    try {
      while (store.catalog.delivered < this.delivered) await store.setDelivered(this.delivered);
    } catch (error) {
      // Not lost, only not noted: those messages come again after the next start.
      logger.warn({ err: error }, 'The progress of S3 event delivery could not be saved');
    }
  }

  /** Until there is something new, or until the time is over when one is given: a new event does not shorten that. */
  private async sleep(ms?: number): Promise<void> {
    const { store } = this.options;
    if (this.isStopped || (ms === undefined && store.catalog.lastEvent > this.delivered)) return;
    await new Promise<void>((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
      this.wakeUp = () => {
        if (ms !== undefined && !this.isStopped) return;
        clearTimeout(timer);
        resolve();
      };
    });
    this.wakeUp = () => {};
  }
}
