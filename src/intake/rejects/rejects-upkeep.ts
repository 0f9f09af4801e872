import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { Database } from '../../database/database.js';
import { HealthCheck, HealthRegistry, type HealthResult } from '../../ops/health.js';
import { LOG, type Log } from '../../ops/log.js';
import { Alerts } from '../../outbound/alerts.js';
import { Recurring } from '../../recurring.js';
import { wholeMilliseconds } from '../../verdicts/whole-milliseconds.js';
import { moveMark, takeMark } from '../sql/alert-mark.js';
import { countSince, groupRejects, purgeRejects } from '../sql/rejects.js';
import { forgetSeen } from '../sql/sns-messages.js';
import { digestOf } from './reject-digest.js';

const EVERY_MS = 60_000;
// The first reject after a quiet time is told within a minute or two; of a flood, one mail in a quarter of an hour.
const DIGEST_EVERY_MS = 15 * 60_000;
// What is committed a little later than its time says must not be missed.
const SETTLED_MS = 10_000;
const MAX_GROUPS = 50;
const PURGE_BATCH = 1_000;
const MAX_PURGES = 20;
const DAY_MS = 24 * 3_600_000;
// SNS's messages are refused for their age after 65 minutes.
const FORGET_SEEN_MS = 2 * 3_600_000;
const HEALTH_SINCE_MS = 3_600_000;
const HEALTH_COUNTS_TO = 1_000;

/** Tells of what could not be used, in digests, and removes it when it is old or too much. */
@Injectable()
export class RejectsUpkeep extends HealthCheck implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly name = 'rejects';
  private readonly loop: Recurring;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly alerts: Alerts,
    private readonly health: HealthRegistry,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOG) log: Log,
  ) {
    super();
    this.loop = new Recurring({
      clock,
      log,
      everyMs: EVERY_MS,
      onFailure: 'rejects could not be told of or removed; it is tried again',
      turn: () => this.turn(),
    });
  }

  onApplicationBootstrap(): void {
    this.health.add(this);
    if (this.config.ROLES.includes('intake')) this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  async turn(): Promise<void> {
    await this.tell();
    await this.purge();
  }

  /** One mail for everything that came since the last one, whichever node is first. */
  private async tell(): Promise<void> {
    const now = wholeMilliseconds(this.clock);
    await this.database.transaction(async (tx) => {
      const toldAt = await takeMark(tx, 'rejects');
      if (toldAt === undefined || now - toldAt < DIGEST_EVERY_MS) return;
      const until = now - SETTLED_MS;
      const groups = await groupRejects(tx, { after: toldAt, until, limit: MAX_GROUPS });
      if (groups.length === 0) return;
      await this.alerts.tell(tx, { key: `rejects:${until}`, ...digestOf(groups) });
      await moveMark(tx, 'rejects', until);
    });
  }

  private async purge(): Promise<void> {
    const now = wholeMilliseconds(this.clock);
    const { REJECTS_DAYS: days, REJECTS_MAX: keep } = this.config;
    const before = now - days * DAY_MS;
    for (let turn = 0; turn < MAX_PURGES; turn += 1) {
      const gone = await purgeRejects(this.database, { before, keep, limit: PURGE_BATCH });
      const forgotten = await forgetSeen(this.database, now - FORGET_SEEN_MS, PURGE_BATCH);
      if (gone < PURGE_BATCH && forgotten < PURGE_BATCH) return;
    }
  }

  async check(): Promise<readonly HealthResult[]> {
    const since = wholeMilliseconds(this.clock) - HEALTH_SINCE_MS;
    const count = await countSince(this.database, since, HEALTH_COUNTS_TO);
    if (count === 0) {
      return [{ name: this.name, healthy: true, detail: 'nothing was rejected within the last hour' }];
    }
    const more = count === HEALTH_COUNTS_TO ? ' or more' : '';
    return [
      {
        name: this.name,
        healthy: true,
        degraded: true,
        detail: `${count}${more} message(s) of the last hour could not be used; they are kept`,
        remedy: 'Look at them with `sallyport rejects list`, mend the reason and take them in again.',
      },
    ];
  }
}
