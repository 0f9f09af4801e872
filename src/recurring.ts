import type { Logger } from 'pino';
import type { Clock } from './clock.js';

export interface RecurringParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** From the end of one turn to the beginning of the next. */
  readonly everyMs: number;
  /** Said when a turn fails: what could not be done. The next turn tries again. */
  readonly onFailure: string;
  /** One bounded turn. The signal aborts when the loop is to stop. */
  readonly turn: (signal: AbortSignal) => Promise<unknown>;
}

/** Work in the background that is done again and again: one turn at a time, none lost to a failed one. */
export class Recurring {
  private readonly stopping = new AbortController();
  private sleeping = new AbortController();
  private loop: Promise<void> | undefined;

  constructor(private readonly parts: RecurringParts) {}

  /** The first turn comes at once. A second call changes nothing. */
  start(): void {
    this.loop ??= this.run();
  }

  /** Ends the pause, so that the next turn comes now: after the one under way, if there is one. */
  wake(): void {
    this.sleeping.abort();
  }

  /** Begins nothing more, and waits for the turn that is under way. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake();
    await this.loop;
  }

  private async run(): Promise<void> {
    const { clock, log, everyMs, onFailure, turn } = this.parts;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      // Before the turn, so that whoever wakes during it is not missed.
      this.sleeping = new AbortController();
      try {
        await turn(signal);
      } catch (error) {
        if (!signal.aborted) log.warn({ err: error }, onFailure);
      }
      if (!signal.aborted) await clock.sleepUntil(clock.now() + everyMs, this.sleeping.signal);
    }
  }
}
