import type { Logger } from 'pino';
import type { Clock } from '../clock.js';
import type { Database } from '../database/database.js';
import type { Engine } from '../engine/ports.js';
import type { BucketQuotas } from '../s3/buckets.js';
import { BacklogBell } from './backlog-bell.js';
import { LookTurn, type Look } from './look.js';
import type { SourceClass } from './source-class.js';

// Rings are hints: however many are lost, an upload waits no longer than this.
const LOOK_EVERY_MS = 1000;
/*
 * The next look after one that started something. With every place taken each verdict frees one, and a look for each of
 * 300 a second would cost more than the starts themselves; of so many places 20 ms leave few empty.
 */
const BUSY_PAUSE_MS = 20;
// Another node looks at this moment; it may have been too early for what was rung for here.
const TURNED_AWAY_MS = 50;
// While events arrive faster than they are stored: enough to see that scans go on.
const STORM_STARTS = 4;
const STORM_PAUSE_MS = 1000;

export interface DispatcherParts {
  readonly database: Database;
  readonly engine: Engine;
  readonly clock: Clock;
  /** Rung when something new waits. */
  readonly bell: BacklogBell;
  readonly log: Logger;
  /** Scans that may run at once, over all nodes. */
  readonly maxRunning: number;
  /** Bytes that they may have together, the largest one not counted; no bound when absent. */
  readonly maxRunningBytes?: number | undefined;
  /** A bucket's own limits. */
  readonly quotasOf?: (endpointId: string, bucket: string) => BucketQuotas | undefined;
  /** Whether intake needs this process's time more than scans do. */
  readonly isStorm?: () => boolean;
  readonly onStarted?: (source: SourceClass) => void;
  readonly onFailed?: (outcome: 'retry' | 'dead') => void;
}

/**
 * Starts the workflows of what waits, as many as may run. One node at a time dispatches, by an advisory lock that ends
 * with its transaction. A start is repeatable (derived id), so a crash between starting a workflow and recording it
 * starts nothing twice and loses nothing.
 */
export class Dispatcher {
  private readonly stopping = new AbortController();
  private readonly places = new BacklogBell();
  private readonly turn: LookTurn;
  private loop: Promise<void> | undefined;
  private anyWait = false;

  constructor(private readonly parts: DispatcherParts) {
    this.turn = new LookTurn(parts, this.stopping.signal);
  }

  start(): void {
    this.loop ??= this.run();
  }

  /** Starts nothing more, and waits for the start that is under way. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.loop;
  }

  /** A scan ended somewhere: its place is free. */
  freed(): void {
    if (this.anyWait) this.places.ring();
  }

  /** One look. @returns how many workflows were started. */
  async dispatch(): Promise<number> {
    const look = await this.turn.take();
    this.anyWait = look.anyWait;
    return look.started;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const ending = new AbortController();
      const stop = (): void => ending.abort();
      signal.addEventListener('abort', stop, { once: true });
      // Before the look, so that a ring during it is not missed.
      this.anyWait = true;
      const rung = Promise.race([this.parts.bell.wait(ending.signal), this.places.wait(ending.signal)]);
      const isStorm = this.parts.isStorm?.() ?? false;
      const look = await this.tryLook(isStorm ? STORM_STARTS : Infinity);
      this.anyWait = look.anyWait;
      if (isStorm) await this.rest(STORM_PAUSE_MS, ending.signal);
      else await this.pause(look, rung, ending.signal);
      ending.abort();
      signal.removeEventListener('abort', stop);
    }
  }

  private async pause(look: Look, rung: Promise<void>, signal: AbortSignal): Promise<void> {
    // Places were left empty by starts that failed, or more may start than one look takes.
    if (look.again) return;
    const { clock } = this.parts;
    if (look.started > 0) await this.rest(BUSY_PAUSE_MS, signal);
    const patience = look.turnedAway ? TURNED_AWAY_MS : LOOK_EVERY_MS;
    await Promise.race([rung, clock.sleepUntil(clock.now() + patience, signal)]);
  }

  private rest(milliseconds: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.parts;
    return clock.sleepUntil(clock.now() + milliseconds, signal);
  }

  /** One look that never throws: a database that is away is asked again each second. */
  private async tryLook(most: number): Promise<Look> {
    try {
      return await this.turn.take(most);
    } catch (error) {
      this.parts.log.warn({ err: error }, 'the backlog could not be read');
      return { started: 0, anyWait: true, again: false, turnedAway: false };
    }
  }
}
