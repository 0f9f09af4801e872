import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { Notices } from '../../database/notices.js';

const CHANNEL = 'sallyport_reviews';
// The transaction around an event usually commits within this time; a burst is one ring.
const LIKELY_COMMITTED_MS = 25;

/** Rings in all processes when something happened to a review. A hint only: whoever waits looks by himself each second. */
@Injectable()
export class ReviewBell implements BeforeApplicationShutdown {
  private readonly listeners = new Set<() => void>();
  private timer: NodeJS.Timeout | undefined;
  private unsubscribe: (() => void) | undefined;

  constructor(private readonly notices: Notices) {}

  /** Soon: after the commit of whoever calls it. */
  ring(): void {
    if (this.timer !== undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.tell();
      this.notices.publish(CHANNEL, '');
    }, LIKELY_COMMITTED_MS);
    this.timer.unref();
  }

  /** @returns how to stop. */
  on(listener: () => void): () => void {
    this.listeners.add(listener);
    this.unsubscribe ??= this.notices.on(CHANNEL, () => this.tell());
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      this.unsubscribe?.();
      this.unsubscribe = undefined;
    };
  }

  beforeApplicationShutdown(): void {
    clearTimeout(this.timer);
    this.unsubscribe?.();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}
