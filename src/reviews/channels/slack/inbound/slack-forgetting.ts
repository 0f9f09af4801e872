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
import { Recurring } from '../../../../recurring.js';
import { SlackAccess } from '../setup/slack-access.js';
import { forgetAccounts } from '../sql/accounts.js';
import { forgetSlackEvents } from '../sql/events.js';
import { forgetSlackRequests } from '../sql/requests.js';
import { forgetAwaiting } from '../sql/unsaid.js';

const EVERY_MS = 60_000;
// A message that was under way when its review ended may arrive still.
const FORGET_AWAITING_MS = 86_400_000;
const FORGET_ACCOUNTS_MS = 30 * 86_400_000;

/** Forgets what came in once it can come in no more, and what waits for nothing any more, so that what is remembered stays small. */
@Injectable()
export class SlackForgetting implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Recurring;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOG) log: Log,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly access: SlackAccess,
  ) {
    this.loop = new Recurring({
      clock,
      log,
      everyMs: EVERY_MS,
      onFailure: 'what came in from Slack long ago could not be forgotten',
      turn: () => this.forget(),
    });
  }

  onApplicationBootstrap(): void {
    const { ROLES: roles } = this.config;
    if (roles.includes('notify') || roles.includes('api')) this.loop.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.loop.stop();
  }

  private async forget(): Promise<void> {
    const now = Math.round(this.clock.now());
    // Kept also while Slack is not set up, for when it will be.
    await forgetAwaiting(this.db, now - FORGET_AWAITING_MS);
    if (this.access.settings === undefined) return;
    await forgetSlackRequests(this.db, now);
    await forgetSlackEvents(this.db, now);
    await forgetAccounts(this.db, now - FORGET_ACCOUNTS_MS);
  }
}
