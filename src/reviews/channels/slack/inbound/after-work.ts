import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { LOG, type Log } from '../../../../ops/log.js';
import { Permits } from '../../../../permits.js';

// Room is left for what must be answered within three seconds.
const AT_ONCE = 16;
// More waits longer than a click lives (three seconds).
const MOST = 400;
// What was acknowledged already (a command, an event) may be so much more.
const BEYOND = 2 * MOST;
const STOP_MS = 5_000;

/** What is done after Slack was answered: a bounded part of it at once, and no more taken in than can be done soon. */
@Injectable()
export class AfterWork implements BeforeApplicationShutdown {
  private readonly room = new Permits(AT_ONCE);
  private readonly pending = new Set<Promise<void>>();

  constructor(@Inject(LOG) private readonly log: Log) {}

  /** A click more would wait too long. */
  get isFull(): boolean {
    return this.pending.size >= MOST;
  }

  /** Never throws; what goes wrong is logged, and what is beyond all bounds is not begun. */
  begin(work: () => Promise<void>): void {
    if (this.pending.size >= BEYOND) {
      this.log.error('too much from Slack waits to be done: what came last is left out');
      return;
    }
    const done = this.perform(work).finally(() => this.pending.delete(done));
    this.pending.add(done);
  }

  /** What was promised to Slack is done first, if it can be soon. */
  async beforeApplicationShutdown(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, STOP_MS);
    });
    await Promise.race([Promise.all(this.pending), late]);
    clearTimeout(timer);
  }

  private async perform(work: () => Promise<void>): Promise<void> {
    const leave = await this.room.take(1, new AbortController().signal);
    try {
      await work();
    } catch (error) {
      this.log.error({ err: error }, 'something that came from Slack could not be done');
    } finally {
      leave();
    }
  }
}
