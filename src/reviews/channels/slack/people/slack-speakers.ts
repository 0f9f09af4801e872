import { Injectable } from '@nestjs/common';
import type { Reviewer } from '../../../rules/review.js';
import type { SlackHome } from '../inbound/handled.js';
import type { SlackUser } from '../inbound/payloads.js';
import { SlackIdentities } from './slack-identities.js';

/** Why a Slack account speaks for nobody. */
export type Speechless = 'unknown' | 'not_reviewer' | 'foreign';

/** For whom a Slack account speaks now. */
@Injectable()
export class SlackSpeakers {
  constructor(private readonly identities: SlackIdentities) {}

  async speaker(user: SlackUser, home: SlackHome): Promise<Reviewer | Speechless> {
    if ((user.team_id ?? home.teamId) !== home.teamId) return 'foreign';
    const person = await this.identities.personOf({ teamId: home.teamId, userId: user.id });
    if (typeof person === 'string') return person;
    return { ...person, isAdmin: false, via: 'slack', method: 'slack' };
  }
}

/** What whoever speaks for nobody is told. */
export const REFUSALS: Readonly<Record<Exclude<Speechless, 'unknown'>, string>> = {
  foreign: 'Only people of this workspace can answer here. Nothing was decided.',
  not_reviewer: 'Your account may not decide on reviews (it needs the role analyst). Nothing was decided.',
};
