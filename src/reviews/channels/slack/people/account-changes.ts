import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Database } from '../../../../database/database.js';
import { SlackEventHandler, type SlackEvent } from '../inbound/events.js';
import type { SlackHome } from '../inbound/handled.js';
import { isKnownAccount } from '../sql/accounts.js';
import { SlackAccounts } from './slack-accounts.js';
import { SlackIdentities } from './slack-identities.js';
import { SlackUserInfo } from './standing.js';

const Body = z.object({ user: SlackUserInfo });

/**
 * Slack says that an account changed: one that is no member any more loses its person at once, not only when it clicks.
 * A new name changes nothing of whose account it is.
 */
@Injectable()
export class UserChangeEvent extends SlackEventHandler {
  readonly eventType = 'user_change';

  constructor(
    private readonly db: Database,
    private readonly accounts: SlackAccounts,
    private readonly identities: SlackIdentities,
  ) {
    super();
  }

  async received({ body }: SlackEvent, home: SlackHome): Promise<Record<string, never>> {
    const user = Body.safeParse(body).data?.user;
    if (user === undefined) return {};
    const account = { teamId: home.teamId, userId: user.id };
    // A large workspace tells of thousands that nobody here ever heard of.
    if (!(await isKnownAccount(this.db, account))) return {};
    const standing = await this.accounts.heard(user, home);
    if (standing !== 'member') await this.identities.drop(account, standing);
    return {};
  }
}
