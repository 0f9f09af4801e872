import { z } from 'zod';
import type { SlackHome } from '../inbound/handled.js';
import { SlackId } from '../inbound/payloads.js';

/**
 * What an account is in our workspace. Only a member answers: guests and bots are nobody of ours, a stranger is here
 * through Slack Connect, and one of another workspace was never here.
 */
export const STANDINGS = ['member', 'deleted', 'bot', 'guest', 'stranger', 'foreign'] as const;
export type Standing = (typeof STANDINGS)[number];

/** What an account is that is no member, after its name. */
export const NO_MEMBER: Readonly<Record<Exclude<Standing, 'member'>, string>> = {
  deleted: 'is deactivated',
  bot: 'is a bot',
  guest: 'is a guest',
  stranger: 'is of another workspace (Slack Connect)',
  foreign: 'is of another workspace',
};

const flag = z.boolean().nullish();
const id = SlackId.nullish();

/** An account as Slack tells of it, in users.info and in events. */
export const SlackUserInfo = z.object({
  id: SlackId,
  team_id: id,
  name: z.string().max(500).nullish(),
  deleted: flag,
  is_bot: flag,
  is_restricted: flag,
  is_ultra_restricted: flag,
  is_stranger: flag,
  /** Of an account of an Enterprise organisation: where else it is. */
  enterprise_user: z.object({ enterprise_id: id, teams: z.array(SlackId).max(10_000).nullish() }).nullish(),
});
export type SlackUserInfo = z.infer<typeof SlackUserInfo>;

// Slack's own bot does not call itself one.
const SLACKBOT = 'USLACKBOT';

export function standingOf(user: SlackUserInfo, home: Pick<SlackHome, 'teamId' | 'enterpriseId'>): Standing {
  if (user.deleted === true) return 'deleted';
  if (user.is_bot === true || user.id === SLACKBOT) return 'bot';
  if (user.is_stranger === true) return 'stranger';
  if (!isOfHome(user, home)) return 'foreign';
  return user.is_restricted === true || user.is_ultra_restricted === true ? 'guest' : 'member';
}

function isOfHome(
  { team_id: team, enterprise_user: elsewhere }: SlackUserInfo,
  home: Pick<SlackHome, 'teamId' | 'enterpriseId'>,
): boolean {
  if (team === home.teamId) return true;
  const isOfOurOrganisation =
    home.enterpriseId !== undefined && elsewhere?.enterprise_id === home.enterpriseId;
  return isOfOurOrganisation && elsewhere?.teams?.includes(home.teamId) === true;
}
