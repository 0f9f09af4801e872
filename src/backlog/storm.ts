import type { Instant } from '../clock.js';

// So many senders wait for their answer at once.
const MANY_MESSAGES = 32;
// What one batch counts among those before it.
const SHARE = 0.2;
const FADES_AFTER_MS = 1000;
// Whoever never stops sending must not keep scans from running.
const LONGEST_MS = 120_000;

/**
 * Whether more events arrive than are stored at once. While they do, few scans start: what is not acknowledged yet may be
 * lost by whoever sent it, what waits in the backlog is not.
 */
export class Storm {
  private average = 0;
  private lastAt = -Infinity;
  private since: Instant | undefined;

  /** A batch was stored; so many messages were in it or waited for the next one. */
  stored(messages: number, at: Instant): void {
    this.average += (messages - this.average) * SHARE;
    this.lastAt = at;
  }

  isOn(now: Instant): boolean {
    if (this.average < MANY_MESSAGES || now - this.lastAt > FADES_AFTER_MS) {
      this.since = undefined;
      return false;
    }
    this.since ??= now;
    return now - this.since < LONGEST_MS;
  }
}
