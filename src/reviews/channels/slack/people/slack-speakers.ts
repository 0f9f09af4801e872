import { Injectable } from '@nestjs/common';
import type { Reviewer } from '../../../rules/review.js';
import type { SlackHome } from '../inbound/handled.js';
import type { SlackUser } from '../inbound/payloads.js';
import { SlackAccounts } from './slack-accounts.js';
import { SlackIdentities } from './slack-identities.js';
import type { Standing } from './standing.js';

/** Why a Slack account speaks for nobody. */
export type Speechless = 'unknown' | 'not_reviewer' | 'unchecked' | Exclude<Standing, 'member'>;

/** For whom a Slack account speaks now. */
@Injectable()
export class SlackSpeakers {
  constructor(
    private readonly identities: SlackIdentities,
    private readonly accounts: SlackAccounts,
  ) {}

  async speaker(user: SlackUser, home: SlackHome): Promise<Reviewer | Speechless> {
    if (isOfAnotherTeam(user, home)) return 'foreign';
    const account = { teamId: home.teamId, userId: user.id };
    const standing = await this.accounts.standing(user.id, home);
    if (standing === 'unchecked') return 'unchecked';
    if (standing !== 'member') {
      await this.identities.drop(account, standing);
      return standing;
    }
    const person = await this.identities.personOf(account);
    if (typeof person === 'string') return person;
    return { ...person, isAdmin: false, via: 'slack', method: 'slack' };
  }
}

/** In an Enterprise organisation an account may go by the organisation's id; Slack says more of it when asked. */
const isOfAnotherTeam = ({ team_id: team }: SlackUser, home: SlackHome): boolean =>
  typeof team === 'string' &&
  team !== home.teamId &&
  (home.enterpriseId === undefined || team !== home.enterpriseId);

const NOTHING = 'Nothing was decided.';
const MEMBERS = `Only members of this workspace can answer here. ${NOTHING}`;

/** What whoever speaks for nobody is told: why, and what to do. */
export const REFUSALS: Readonly<Record<Exclude<Speechless, 'unknown'>, string>> = {
  foreign: `Only people of this workspace can answer here. ${NOTHING} Answer on the web, if you have an account in Sallyport.`,
  stranger: `Only people of this workspace can answer here. ${NOTHING} Answer on the web, if you have an account in Sallyport.`,
  guest: `Guests cannot answer here. ${NOTHING} Answer on the web, or ask an admin of this workspace to make you a member and link your account again.`,
  bot: `Bots and apps cannot answer here. ${MEMBERS}`,
  deleted: `This Slack account is deactivated. ${NOTHING} Answer on the web, or link your account again once it is active.`,
  not_reviewer: `Your account may not decide on reviews (it needs the role analyst). ${NOTHING} Ask an admin of Sallyport.`,
  unchecked: `Slack does not say just now whether this account is a member of the workspace. ${NOTHING} Try again in a minute, or answer on the web.`,
};
