import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { visible } from '../../../../outbound/safe-text.js';
import { slackErrorCode } from '../delivery/slack-errors.js';
import type { SlackHome } from '../inbound/handled.js';
import { NO_MEMBER, SlackUserInfo, standingOf } from '../people/standing.js';
import { askSlack, notSetUp } from './ask-slack.js';
import { SlackAccess } from './slack-access.js';

/** The Slack account that has an e-mail address. */
export type FoundAccount =
  | { readonly kind: 'member'; readonly userId: string; readonly userName: string }
  | {
      readonly kind: 'refused';
      readonly userId: string;
      readonly userName: string;
      readonly why: string;
    }
  | { readonly kind: 'no_address' }
  | { readonly kind: 'not_found' };

const Found = SlackUserInfo.extend({
  is_email_confirmed: z.boolean().nullish(),
  profile: z.object({ email: z.string().max(500).nullish() }).nullish(),
});

/** Finds whom to propose. An address only suggests: whose account it is, its owner says. */
@Injectable()
export class AccountFinder {
  constructor(private readonly access: SlackAccess) {}

  /** @throws Conflict when Slack refuses, Overloaded when it asks to wait, Unavailable when it does not answer. */
  async find(email: string | undefined, home: SlackHome): Promise<FoundAccount> {
    const { web } = this.access;
    if (web === undefined) throw notSetUp();
    if (email === undefined || email === '') return { kind: 'no_address' };
    const answer = await askSlack(async () => {
      try {
        return await web.users.lookupByEmail({ email });
      } catch (error) {
        if (slackErrorCode(error) === 'users_not_found') return undefined;
        throw error;
      }
    });
    const user = Found.safeParse(answer?.user).data;
    if (user === undefined) return { kind: 'not_found' };
    const account = { userId: user.id, userName: visible(user.name ?? user.id, 80) };
    const standing = standingOf(user, home);
    if (standing !== 'member')
      return { kind: 'refused', ...account, why: `the account ${NO_MEMBER[standing]}` };
    // Slack may find an account by an address that it shows no more.
    const shown = user.profile?.email;
    if (user.is_email_confirmed === false || (shown != null && shown.toLowerCase() !== email.toLowerCase()))
      return { kind: 'refused', ...account, why: 'the address is not confirmed in Slack' };
    return { kind: 'member', ...account };
  }
}
