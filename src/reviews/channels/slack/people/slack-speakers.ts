import { Injectable } from '@nestjs/common';
import { Database } from '../../../../database/database.js';
import { Together } from '../../../../database/together.js';
import { Reviewers, type ReviewerPerson } from '../../../reviewers.js';
import type { Person, Reviewer } from '../../../rules/review.js';
import type { SlackHome } from '../inbound/handled.js';
import type { SlackUser } from '../inbound/payloads.js';
import { findKnownAccounts, type KnownAccount } from '../sql/accounts.js';
import type { SlackAccount } from '../sql/identities.js';
import { SlackAccounts } from './slack-accounts.js';
import { SlackIdentities } from './slack-identities.js';
import type { Standing } from './standing.js';

/** Why a Slack account speaks for nobody. */
export type Speechless = 'unknown' | 'not_reviewer' | 'unchecked' | Exclude<Standing, 'member'>;

/** What is known of an account, and of the person whose it is. */
interface Look extends KnownAccount {
  /** The person, where they may decide now. */
  readonly reviewer: ReviewerPerson | undefined;
}

/** For whom a Slack account speaks now. */
@Injectable()
export class SlackSpeakers {
  /** Who clicks at the same time is looked up together, people included. */
  private readonly looking: Together<SlackAccount, Look>;

  constructor(
    private readonly db: Database,
    private readonly reviewers: Reviewers,
    private readonly identities: SlackIdentities,
    private readonly accounts: SlackAccounts,
  ) {
    this.looking = new Together((asked) => this.look(asked));
  }

  async speaker(user: SlackUser, home: SlackHome): Promise<Reviewer | Speechless> {
    if (isOfAnotherTeam(user, home)) return 'foreign';
    const { standing, look } = await this.checked(user.id, home);
    if (standing !== 'member') return standing;
    if (look.person === undefined) return 'unknown';
    if (look.reviewer === undefined) return 'not_reviewer';
    const { personId: id, name } = look.reviewer;
    return { id, name, isAdmin: false, via: 'slack', method: 'slack' };
  }

  /** Whose an account is, where Slack says lately that it is a member's; it is asked before anything is sent there, too. */
  async personOf(userId: string, home: SlackHome): Promise<Person | 'nobody' | 'unchecked'> {
    const { standing, look } = await this.checked(userId, home);
    if (standing === 'unchecked') return 'unchecked';
    return (standing === 'member' ? look.person : undefined) ?? 'nobody';
  }

  /** What Slack says of an account, lately or now; one that is no member any more loses its person. */
  private async checked(
    userId: string,
    home: SlackHome,
  ): Promise<{ readonly standing: Standing | 'unchecked'; readonly look: Look }> {
    const account = { teamId: home.teamId, userId };
    let look = await this.looking.do(account);
    let standing: Standing | 'unchecked' | undefined = this.accounts.fresh(look.checked);
    if (standing === undefined) {
      standing = await this.accounts.asked(userId, home, look.checked);
      // Slack took its time: whose the account is may have changed.
      look = await this.looking.do(account);
    }
    if (standing !== 'unchecked' && standing !== 'member') await this.identities.drop(account, standing);
    return { standing, look };
  }

  private async look(accounts: readonly SlackAccount[]): Promise<Look[]> {
    const known = await findKnownAccounts(this.db, accounts);
    const people = known.some(({ person }) => person !== undefined) ? await this.reviewers.list() : [];
    return known.map((one) => ({
      ...one,
      reviewer: one.person && people.find(({ personId }) => personId === one.person?.id),
    }));
  }
}

/** In an Enterprise organisation an account may go by the organisation's id; Slack says more of it when asked. */
const isOfAnotherTeam = ({ team_id: team }: SlackUser, home: SlackHome): boolean =>
  typeof team === 'string' &&
  team !== home.teamId &&
  (home.enterpriseId === undefined || team !== home.enterpriseId);

/** What somebody tried who speaks for nobody. */
export type Attempt = 'click' | 'command' | 'reply';

const NOTHING: Readonly<Record<Attempt, string>> = {
  click: 'Nothing was decided.',
  command: 'Nothing was done.',
  reply: 'Your reply was not kept with the review.',
};
const ON_WEB = 'Answer on the web, if you have an account in Sallyport.';

/** What whoever speaks for nobody is told: why, and what to do. */
export function refusalOf(why: Exclude<Speechless, 'unknown'>, attempt: Attempt): string {
  const nothing = NOTHING[attempt];
  switch (why) {
    case 'foreign':
    case 'stranger':
      return `Only people of this workspace can answer here. ${nothing} ${ON_WEB}`;
    case 'guest':
      return `Guests cannot answer here. ${nothing} Answer on the web, or ask an admin of this workspace to make you a member and link your account again.`;
    case 'bot':
      return `Bots and apps cannot answer here. Only members of this workspace can. ${nothing}`;
    case 'deleted':
      return `This Slack account is deactivated. ${nothing} Answer on the web, or link your account again once it is active.`;
    case 'not_reviewer':
      return `Your account may not decide on reviews (it needs the role analyst). ${nothing} Ask an admin of Sallyport.`;
    case 'unchecked':
      return `Slack does not say just now whether this account is a member of the workspace. ${nothing} Try again in a minute, or answer on the web.`;
    default:
      return why satisfies never;
  }
}
