import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { LOG, type Log } from '../../../../ops/log.js';
import { Permits } from '../../../../permits.js';

// Room is left for what must be answered within three seconds.
const AT_ONCE = 16;
// More waits longer than a click lives (three seconds).
const MOST = 400;
const STOP_MS = 5_000;

/** What is done after Slack was answered: a bounded part of it at once, and no more taken in than can be done soon. */
@Injectable()
export class AfterWork implements BeforeApplicationShutdown {
  private readonly room = new Permits(AT_ONCE);
  private readonly pending = new Set<Promise<void>>();
  private readonly never = new AbortController().signal;

  constructor(@Inject(LOG) private readonly log: Log) {}

  /** Whoever brings something more is to bring it again later. */
  get isFull(): boolean {
    return this.pending.size >= MOST;
  }

  /** Never throws; what goes wrong is logged. */
  begin(work: () => Promise<void>): void {
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
    const leave = await this.room.take(1, this.never);
    try {
      await work();
    } catch (error) {
      this.log.error({ err: error }, 'something that came from Slack could not be done');
    } finally {
      leave();
    }
  }
}
