import { Injectable } from '@nestjs/common';
import { Clock, type Instant } from '../../clock.js';
import { Database } from '../../database/database.js';
import { queueFigures, type QueueFigures } from '../sql/queue-figures.js';

/** What happened counts for so long back. */
export const WINDOW_MS = 86_400_000;
/** Queues are named by definitions, and may come from their input: of more than so many, those with most that waits. */
export const MAX_QUEUES = 500;

/** How the review queues stood at one moment. */
export interface QueueReading {
  readonly at: Instant;
  readonly queues: readonly QueueFigures[];
  /** There are more queues. */
  readonly isTruncated: boolean;
}

const FRESH_MS = 1_000;
// Counting may take a twentieth of the time, whoever asks how often.
const SHARE = 20;

/** The figures of review queues for whoever asks: counted when they are old, never by several at once. */
@Injectable()
export class ReviewQueueReadings {
  private last: Promise<QueueReading> | undefined;
  private freshUntil = -Infinity;

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
  ) {}

  /** Of all queues. */
  current(): Promise<QueueReading> {
    // Real time: nothing is stored of it.
    if (this.last !== undefined && performance.now() < this.freshUntil) return this.last;
    this.freshUntil = Infinity;
    const startedAt = performance.now();
    this.last = this.read(undefined).finally(() => {
      const endedAt = performance.now();
      this.freshUntil = endedAt + Math.max(FRESH_MS, SHARE * (endedAt - startedAt));
    });
    this.last.catch(() => (this.freshUntil = -Infinity));
    return this.last;
  }

  /** Of these queues alone, counted now. */
  of(queues: readonly string[]): Promise<QueueReading> {
    return this.read(queues);
  }

  private async read(queues: readonly string[] | undefined): Promise<QueueReading> {
    const now = Math.round(this.clock.now());
    const found = await queueFigures(this.db, {
      now,
      from: now - WINDOW_MS,
      to: now + 1,
      queues,
      limit: MAX_QUEUES + 1,
    });
    return { at: now, queues: found.slice(0, MAX_QUEUES), isTruncated: found.length > MAX_QUEUES };
  }
}
