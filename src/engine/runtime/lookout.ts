import type { Clock, Instant } from '../../clock.js';
import type { ExecutionStore } from '../execution-store.js';
import type { RuntimeLog } from './runtime-log.js';
import type { Timers } from './timers.js';

/** Every hint may be lost; nothing waits longer than this for a second look. */
export const RECHECK_MS = 1_000;

const PROMOTED_AT_ONCE = 500;

interface Parts {
  readonly store: ExecutionStore;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: RuntimeLog;
  /** The task types that somebody in this process wants now. */
  readonly wantedTypes: () => readonly string[];
  readonly wake: (taskType: string) => void;
  /** Delayed tasks of this type became claimable, here and elsewhere. */
  readonly promoted: (taskType: string) => void;
  /** False for a node without the role `engine`: it hands tasks out and leaves timers and inbox to the others. */
  readonly fires: boolean;
  /** Takes due inbox rows. @returns whether there may be more. */
  readonly takeInbox: (now: Instant) => Promise<boolean>;
  /** Run about once a second, beside the rest. */
  readonly everySecond: (now: Instant) => Promise<void>;
  /** Keeps leases fresh. @returns when the next one needs it. */
  readonly extend: (now: Instant) => Instant;
}

/**
 * Watches for what becomes due: timers, delayed tasks, inbox rows, and tasks that other nodes queued. Sleeps until the
 * earliest known moment, at most a second; a commit of this process moves that moment forward at once.
 */
export class Lookout {
  private readonly stopping = new AbortController();
  private nap = new AbortController();
  private wakeAt: Instant = 0;
  private secondAt: Instant = -Infinity;
  private loop: Promise<void> = Promise.resolve();
  private housework: Promise<void> | undefined;

  constructor(private readonly parts: Parts) {}

  start(): void {
    this.loop = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.nap.abort();
    await this.loop;
    await this.housework;
  }

  /** Something becomes due at this time. */
  dueAt(at: Instant): void {
    if (at >= this.wakeAt) return;
    this.wakeAt = at;
    this.nap.abort();
  }

  private async run(): Promise<void> {
    const { clock, log } = this.parts;
    while (!this.stopping.signal.aborted) {
      const now = clock.now();
      this.wakeAt = now + RECHECK_MS;
      try {
        await this.look(now);
        this.keepHouse(now);
        this.wakeAt = Math.min(this.wakeAt, this.parts.extend(now));
      } catch (error) {
        log.warn({ err: error }, 'looking for due work failed; trying again');
        this.wakeAt = now + RECHECK_MS;
      }
      await this.sleep();
    }
  }

  /** Timers do not wait for it. */
  private keepHouse(now: Instant): void {
    if (now - this.secondAt < RECHECK_MS || this.housework !== undefined) return;
    this.secondAt = now;
    this.housework = this.parts
      .everySecond(now)
      .catch((error: unknown) => this.parts.log.warn({ err: error }, 'the housework failed; trying again'))
      .finally(() => (this.housework = undefined));
  }

  /** `dueAt` cuts the nap short and may move the moment several times. */
  private async sleep(): Promise<void> {
    const { clock } = this.parts;
    while (!this.stopping.signal.aborted && clock.now() < this.wakeAt) {
      this.nap = new AbortController();
      await clock.sleepUntil(this.wakeAt, this.nap.signal);
    }
  }

  private async look(now: Instant): Promise<void> {
    const { store } = this.parts;
    const outlook = await store.outlook(now, this.parts.wantedTypes());
    for (const taskType of outlook.dueTypes) this.parts.wake(taskType);
    if (!this.parts.fires) return;
    if (outlook.inboxDue && (await this.parts.takeInbox(now))) this.wakeAt = now;
    if (outlook.nextDueAt === undefined) return;
    if (outlook.nextDueAt > now) {
      this.wakeAt = Math.min(this.wakeAt, outlook.nextDueAt);
      return;
    }
    this.wakeAt = Math.min(this.wakeAt, now + (await this.fire(now)));
  }

  /** @returns after how many milliseconds to look again for what lies behind. */
  private async fire(now: Instant): Promise<number> {
    const { store, timers } = this.parts;
    const types = await store.promoteDelayed(now, PROMOTED_AT_ONCE);
    for (const taskType of types) this.parts.promoted(taskType);
    return timers.fire(now);
  }
}
