import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { RestoreHold } from '../database/restore-hold.js';
import { LOG, type Log } from '../ops/log.js';
import { previousPeriod, type CalendarKind, type Period } from './period.js';
import { ReportsService } from './reports.service.js';

// Late facts of the last minutes of a week still find their way in.
const SETTLE_MS = 2 * 3_600_000;
const LOOK_EVERY_MS = 60_000;
/** Periods that are caught up after a long stop, and before the first report of a kind; older ones can be asked for by hand. */
const CATCH_UP: Readonly<Record<CalendarKind, { readonly stopped: number; readonly first: number }>> = {
  weekly: { stopped: 53, first: 12 },
  monthly: { stopped: 12, first: 3 },
  quarterly: { stopped: 4, first: 1 },
};
/** So much the boundary of a period may move when the organisation changes its time zone. */
const ZONE_SHIFT_MS = 26 * 3_600_000;

/** Sees to it that every whole period since the first upload has exactly one report, also after downtime. */
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
    private readonly hold: RestoreHold,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.ROLES.includes('reports')) this.loop = this.run();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.loop;
  }

  /**
   * Asks for the report of every whole period that lacks one. Not while a restore is held: the former life may have signed
   * one of that period, and what the ledger lost is not found again yet.
   */
  async catchUp(): Promise<void> {
    if (await this.hold.isHeld()) return;
    await this.reports.startOrphans();
    const [first] = await this.db.query<{ at: string | null }>(
      'SELECT min(first_seen_at) AS at FROM object_version',
    );
    if (first?.at === null || first === undefined) return;
    for (const kind of this.config.REPORT_KINDS)
      for (const period of await this.due(kind, Number(first.at)))
        await this.reports.ensureScheduled(kind, period);
  }

  /** The oldest first, each beginning where the one before ended. */
  private async due(kind: CalendarKind, firstUpload: number): Promise<readonly Period[]> {
    const last = await this.reports.lastScheduled(kind);
    const since = last?.to ?? firstUpload;
    const most = CATCH_UP[kind][last === undefined ? 'first' : 'stopped'];
    const zone = this.config.ORG_TIME_ZONE;
    const periods: Period[] = [];
    let period = previousPeriod(kind, this.clock.now() - SETTLE_MS, zone);
    while (period.to > since && period.label !== last?.label && periods.length < most) {
      periods.unshift(period);
      period = previousPeriod(kind, period.from, zone);
    }
    const [oldest, ...others] = periods;
    if (oldest === undefined || last === undefined) return periods;
    // Where the time zone changed, nothing is told of twice and nothing is left out.
    return Math.abs(oldest.from - last.to) <= ZONE_SHIFT_MS
      ? [{ ...oldest, from: last.to }, ...others]
      : periods;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        await this.catchUp();
      } catch (error) {
        this.log.warn({ err: error }, 'the reports could not be looked after; trying again in a minute');
      }
      await this.clock.sleepUntil(this.clock.now() + LOOK_EVERY_MS, signal);
    }
  }
}
