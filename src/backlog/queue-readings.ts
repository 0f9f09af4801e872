import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { maxRunningOf } from './limits.js';
import { ASSUMED_BYTES } from './look.js';
import { pauses, type PauseRow } from './sql/pauses.js';
import { deadCounts, waitingCounts, type DeadCount, type WaitingCount } from './sql/queue-counts.js';
import { runningScans, type RunningRow } from './sql/running-scans.js';

/** How much waits, runs and is dead, by queue, at one moment. */
export interface QueueReading {
  readonly waiting: readonly WaitingCount[];
  readonly running: readonly RunningRow[];
  readonly dead: readonly DeadCount[];
  readonly pauses: readonly PauseRow[];
}

const FRESH_MS = 1_000;
// Counting 100,000 rows takes 50 ms: reading may take a twentieth of the time, whoever asks how often.
const SHARE = 20;

/** The counts for whoever asks: read when they are old, never by several at once. */
@Injectable()
export class QueueReadings {
  private last: Promise<QueueReading> | undefined;
  private freshUntil = -Infinity;

  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  current(): Promise<QueueReading> {
    // Real time: nothing is stored of it.
    if (this.last !== undefined && performance.now() < this.freshUntil) return this.last;
    this.freshUntil = Infinity;
    this.last = this.read();
    this.last.catch(() => (this.freshUntil = -Infinity));
    return this.last;
  }

  private async read(): Promise<QueueReading> {
    const startedAt = performance.now();
    const atMost = 2 * maxRunningOf(this.config) + 10_000;
    const [waiting, running, dead, paused] = await Promise.all([
      waitingCounts(this.database, ASSUMED_BYTES),
      runningScans(this.database, { atMost, assumedBytes: ASSUMED_BYTES }),
      deadCounts(this.database),
      pauses(this.database),
    ]);
    const endedAt = performance.now();
    this.freshUntil = endedAt + Math.max(FRESH_MS, SHARE * (endedAt - startedAt));
    return { waiting, running, dead, pauses: paused };
  }
}
