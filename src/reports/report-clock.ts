import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { LOG, type Log } from '../ops/log.js';
import { previousIsoWeek, type Period } from './period.js';
import { ReportsService } from './reports.service.js';

// Late facts of the last minutes of a week still find their way in.
const SETTLE_MS = 2 * 3_600_000;
const LOOK_EVERY_MS = 60_000;
/** Weeks that are caught up after a long stop; older ones can be asked for by hand. */
const CATCH_UP_WEEKS = 12;

/** Sees to it that every whole week since the first upload has exactly one report, also after downtime. */
@Injectable()
export class ReportClock implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopping = new AbortController();
  private loop: Promise<void> = Promise.resolve();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOG) private readonly log: Log,
    private readonly clock: Clock,
    private readonly db: Database,
    private readonly reports: ReportsService,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.ROLES.includes('reports')) this.loop = this.run();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.loop;
  }

  /** Asks for the report of every whole week that lacks one. */
  async catchUp(): Promise<void> {
    const [first] = await this.db.query<{ at: string | null }>(
      'SELECT min(first_seen_at) AS at FROM object_version',
    );
    if (first?.at === null || first === undefined) return;
    for (const week of this.wholeWeeksSince(Number(first.at))) await this.reports.ensureScheduled(week);
  }

  private wholeWeeksSince(first: number): readonly Period[] {
    const weeks: Period[] = [];
    let week = previousIsoWeek(this.clock.now() - SETTLE_MS, this.config.ORG_TIME_ZONE);
    while (week.to > first && weeks.length < CATCH_UP_WEEKS) {
      weeks.unshift(week);
      week = previousIsoWeek(week.from, this.config.ORG_TIME_ZONE);
    }
    return weeks;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        await this.catchUp();
      } catch (error) {
        this.log.warn(
          { err: error },
          'the weekly reports could not be looked after; trying again in a minute',
        );
      }
      await this.clock.sleepUntil(this.clock.now() + LOOK_EVERY_MS, signal);
    }
  }
}
