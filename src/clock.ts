/** Milliseconds since the Unix epoch, as PostgreSQL's clock tells it. */
export type Instant = number;

/**
 * The only source of time for everything that is stored, compared between nodes or shown.
 *
 * The production clock is monotonic time plus the offset to PostgreSQL's clock, so that nodes agree and a step of
 * the local clock fires nothing early. Tests drive a fake one (`test/support/clock.ts`).
 */
export abstract class Clock {
  abstract now(): Instant;
  /** Resolves at `at` or when the signal aborts, whichever is first; never rejects. */
  abstract sleepUntil(at: Instant, signal?: AbortSignal): Promise<void>;
}
