import { Refusal } from './refusal.js';

/** Calls a minute that Slack promises at least, by tier. */
export const TIERS = { 1: 1, 2: 20, 3: 50, 4: 100 } as const;
export type Tier = keyof typeof TIERS;

const MINUTE_MS = 60_000;

/** How fast the app may go. Messages are always paced; the tiers of other methods only when a test asks for it. */
export class Pace {
  /** Messages that a channel takes in a second. */
  messagesPerSecond = 1;
  /** Messages that a channel takes at once after a silence. */
  burst = 1;
  /** Calls a minute of single methods; a method that is not here has no limit. */
  readonly perMinute = new Map<string, number>();
  /** Holds every method to what Slack promises for its tier. */
  enforcesTiers = false;

  private readonly buckets = new Map<string, { tokens: number; at: number }>();

  constructor(private readonly now: () => number) {}

  /** @throws Refusal `ratelimited` when the channel had its share. */
  message(channel: string): void {
    this.take(`message:${channel}`, this.messagesPerSecond / 1000, this.burst);
  }

  call(method: string, tier: Tier | undefined): void {
    const perMinute =
      this.perMinute.get(method) ??
      (this.enforcesTiers && tier !== undefined ? TIERS[tier] : Number.POSITIVE_INFINITY);
    if (Number.isFinite(perMinute)) this.take(`call:${method}`, perMinute / MINUTE_MS, perMinute);
  }

  private take(name: string, perMs: number, most: number): void {
    const now = this.now();
    const bucket = this.buckets.get(name) ?? { tokens: most, at: now };
    const tokens = Math.min(most, bucket.tokens + Math.max(0, now - bucket.at) * perMs);
    if (tokens < 1) {
      this.buckets.set(name, { tokens, at: now });
      const seconds = Math.max(1, Math.ceil((1 - tokens) / perMs / 1000));
      throw new Refusal('ratelimited', { retryAfter: seconds });
    }
    this.buckets.set(name, { tokens: tokens - 1, at: now });
  }
}
