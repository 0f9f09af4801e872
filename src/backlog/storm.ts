import type { Instant } from '../clock.js';

// So many senders wait for their answer at once.
const MANY_MESSAGES = 32;
// What one batch counts among those before it.
const SHARE = 0.2;
const FADES_AFTER_MS = 1000;
// Whoever never stops sending must not keep scans from running: after so long they run as long before they are held again.
const LONGEST_MS = 120_000;

/**
 * Whether more events arrive than are stored at once. While they do, few scans start: what is not acknowledged yet may be
 * lost by whoever sent it, what waits in the backlog is not.
 */
export class Storm {
  private average = 0;
  private storedAt = -Infinity;
  private lookedAt: Instant | undefined;
  private wasOn = false;
  private leftMs = LONGEST_MS;
  private isSpent = false;

  /** A batch was stored; so many messages were in it or waited for the next one. */
  stored(messages: number, at: Instant): void {
    const before = at - this.storedAt > FADES_AFTER_MS ? 0 : this.average;
    this.average = before + (messages - before) * SHARE;
    this.storedAt = at;
  }

  isOn(now: Instant): boolean {
    const elapsed = now - (this.lookedAt ?? now);
    this.lookedAt = now;
    this.leftMs = Math.min(LONGEST_MS, Math.max(0, this.leftMs + (this.wasOn ? -elapsed : elapsed)));
    if (this.leftMs === 0) this.isSpent = true;
    if (this.leftMs === LONGEST_MS) this.isSpent = false;
    this.wasOn = !this.isSpent && this.average >= MANY_MESSAGES && now - this.storedAt <= FADES_AFTER_MS;
    return this.wasOn;
  }
}
