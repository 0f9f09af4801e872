import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock } from '../../../../clock.js';
import { CONFIG, type Config } from '../../../../config.js';
import { Database } from '../../../../database/database.js';
import { LOG, type Log } from '../../../../ops/log.js';
import { Outbox, type OutboxMessage } from '../../../../outbound/outbox.js';
import { ReviewBell } from '../../../stream/review-bell.js';
import { SlackAccess } from '../setup/slack-access.js';
import { homeTabsSince } from '../sql/home-tabs.js';
import { SLACK_HOME } from './home.handler.js';

// However much happens, a tab is brought up to date once in so long.
const EVERY_MS = 10_000;
// A change that was committed at the end of its span is seen all the same.
const GRACE_MS = 500;
// Whoever has not looked for so long opens it again when they do.
const LOOKED_AT_MS = 8 * 3_600_000;
const MOST_TABS = 200;

/**
 * Has the Home tabs that people look at brought up to date when something happened to reviews. A hint that is lost
 * leaves them as they are until the next one.
 */
@Injectable()
export class HomeWatch implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private stopListening: (() => void) | undefined;
  private lastSpan = -1;
  private running: Promise<void> = Promise.resolve();

  constructor(
    @Inject(CONFIG) private readonly config: Pick<Config, 'ROLES'>,
    @Inject(LOG) private readonly log: Log,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly outbox: Outbox,
    private readonly bell: ReviewBell,
    private readonly access: SlackAccess,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.config.ROLES.includes('notify')) return;
    this.stopListening = this.bell.on(() => {
      this.running = this.running.then(() => this.rung());
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopListening?.();
    await this.running;
  }

  private async rung(): Promise<void> {
    const now = Math.round(this.clock.now());
    const span = Math.floor(now / EVERY_MS);
    if (span === this.lastSpan || this.access.web === undefined) return;
    this.lastSpan = span;
    try {
      const tabs = await homeTabsSince(this.db, now - LOOKED_AT_MS, MOST_TABS);
      // Every process that hears of it enqueues the same.
      const messages = tabs.map(({ teamId, userId }): OutboxMessage => ({
        kind: SLACK_HOME,
        key: `${teamId}:${userId}:${span}`,
        group: `slack-home:${teamId}:${userId}`,
        notBefore: (span + 1) * EVERY_MS + GRACE_MS,
        payload: { teamId, userId },
      }));
      await this.outbox.enqueue(this.db, messages);
    } catch (error) {
      this.lastSpan = -1;
      this.log.warn({ err: error }, 'Home tabs in Slack were not marked as changed');
    }
  }
}
