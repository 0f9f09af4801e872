import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../../../clock.js';
import { CONFIG, type Config } from '../../../../config.js';
import { Database } from '../../../../database/database.js';
import { LOG, type Log } from '../../../../ops/log.js';
import { Outbox } from '../../../../outbound/outbox.js';
import { EngineRounds } from '../../../engine-rounds.js';
import { SLACK_DIGEST } from '../delivery/slack-kinds.js';
import { SlackAccess } from '../setup/slack-access.js';
import { takeDigestTime } from '../sql/digests.js';
import { latestAt } from './digest-schedule.js';

const LOOK_EVERY_MS = 15_000;

/**
 * Has every channel told of the day and the week, once, whichever node looks. After an outage only the last that was
 * missed is told: it tells of all the time since the one before. Runs in role engine.
 */
@Injectable()
export class SlackDigestClock extends EngineRounds {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOG) log: Log,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly outbox: Outbox,
    private readonly access: SlackAccess,
  ) {
    super({ config, log, clock, everyMs: LOOK_EVERY_MS, failed: 'the digests for Slack could not be made' });
  }

  protected look(): Promise<void> {
    return this.tick();
  }

  async tick(): Promise<void> {
    if (!this.access.isOn) return;
    const weekly = this.lastOf(this.config.SLACK_DIGEST_WEEKLY);
    const daily = this.lastOf(this.config.SLACK_DIGEST_DAILY);
    if (weekly !== undefined) await this.tell('weekly', weekly, true);
    // The week tells of the day as well.
    if (daily !== undefined) await this.tell('daily', daily, daily !== weekly);
  }

  private lastOf(schedule: Config['SLACK_DIGEST_DAILY']): number | undefined {
    return schedule && latestAt(schedule, this.config.ORG_TIME_ZONE, Math.round(this.clock.now()));
  }

  private async tell(kind: 'daily' | 'weekly', at: number, isTold: boolean): Promise<void> {
    await this.db.transaction(async (tx) => {
      const from = await takeDigestTime(tx, kind, at);
      if (from === undefined || !isTold) return;
      await this.outbox.enqueue(
        tx,
        this.access.channels.map((channel) => ({
          kind: SLACK_DIGEST,
          key: `${kind}:${channel}:${at}`,
          payload: { kind, channel, from, at },
        })),
      );
    });
  }
}
