import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { Database } from '../../database/database.js';
import { LOG, type Log } from '../../ops/log.js';
import { EngineRounds } from '../engine-rounds.js';
import { queueFigures } from '../sql/queue-figures.js';
import { HOUR_MS, insertFigures, purgeHours, takeHour } from '../sql/queue-hours.js';
import { MAX_QUEUES } from './queue-readings.js';

const LOOK_EVERY_MS = 15_000;
// What began before the hour ended is committed by then.
const SETTLED_MS = 30_000;
// What waits is what waits now: told of an hour that ended longer ago, it would be invented.
const TOO_LATE_MS = 600_000;
const KEEP_MS = 90 * 24 * HOUR_MS;
const PURGE_AT_ONCE = 100;

/**
 * Keeps the figures of each review queue for each hour, for 90 days. One node writes an hour, once; an hour at whose end no
 * node ran is not there, and nothing is made up for it. Runs in role engine.
 */
@Injectable()
export class ReviewQueueRecorder extends EngineRounds {
  private measured = -Infinity;

  constructor(
    @Inject(CONFIG) config: Pick<Config, 'ROLES'>,
    @Inject(LOG) log: Log,
    private readonly db: Database,
    private readonly clock: Clock,
  ) {
    super({
      config,
      log,
      clock,
      everyMs: LOOK_EVERY_MS,
      failed: 'the figures of review queues could not be kept',
    });
  }

  protected look(): Promise<boolean> {
    return this.record();
  }

  /** Measures the hour that ended last, if it is time. @returns whether this node wrote it. */
  async record(): Promise<boolean> {
    const now = Math.round(this.clock.now());
    const to = Math.floor(now / HOUR_MS) * HOUR_MS;
    const from = to - HOUR_MS;
    if (this.measured >= from || now - to < SETTLED_MS || now - to > TOO_LATE_MS) return false;
    const isOurs = await this.db.transaction(async (tx) => {
      if (!(await takeHour(tx, from, now))) return false;
      await insertFigures(tx, from, await queueFigures(tx, { now, from, to, limit: MAX_QUEUES }));
      return true;
    });
    this.measured = from;
    if (isOurs) await purgeHours(this.db, from - KEEP_MS, PURGE_AT_ONCE);
    return isOurs;
  }
}
