import { visible } from '../../../../outbound/safe-text.js';
import type { SlackBreakage } from '../delivery/broken-slack.js';
import { canBeLookedAt } from '../delivery/remedies.js';
import type { SeenChannel } from './slack-channels.js';
import type { SlackRoute } from './sql/stored-settings.js';
import type { SlackStatus } from './status.view.js';

export type ChannelStanding = SlackStatus['channels'][number];

/** What is known of the channels that reviews go to: from the routes, from Slack, and from messages that failed. */
export interface ChannelFacts {
  readonly ids: readonly string[];
  readonly defaultId: string | undefined;
  readonly routes: readonly SlackRoute[];
  readonly seen: ReadonlyMap<string, SeenChannel>;
  readonly broken: readonly SlackBreakage[];
}

/** How each channel is; pure. What Slack says now goes before what a message met earlier. */
export function channelStandings({ ids, defaultId, routes, seen, broken }: ChannelFacts): ChannelStanding[] {
  return ids.map((id) => {
    const look = seen.get(id);
    const breakage = broken.find(({ place }) => place === id);
    const own = routes.filter(({ channel }) => channel === id);
    // With the name that a route was made with where Slack does not tell it now.
    const name = look?.name ?? own.find(({ channelName }) => channelName !== undefined)?.channelName;
    return {
      id,
      name: name ?? null,
      isDefault: defaultId === id,
      queues: own.map(({ queue }) => queue),
      isPrivate: look?.isPrivate ?? null,
      isMember: look?.isMember ?? null,
      isLookedAt: look !== undefined,
      trouble: troubleOf(look, breakage),
    };
  });
}

/** Slack says that what kept messages away is over; of what only a message shows, a look proves nothing. */
export const looksMended = (look: SeenChannel | undefined, { reason }: SlackBreakage): boolean =>
  look !== undefined && look.trouble === undefined && canBeLookedAt(reason);

function troubleOf(
  look: SeenChannel | undefined,
  breakage: SlackBreakage | undefined,
): ChannelStanding['trouble'] {
  const since = breakage === undefined ? null : new Date(breakage.since).toISOString();
  if (look?.trouble !== undefined) return { since, fact: look.trouble.fact, remedy: look.trouble.remedy };
  if (breakage === undefined) return null;
  if (looksMended(look, breakage)) {
    const fact = `looks whole again (it was not: ${visible(breakage.reason, 80)}); what it missed follows once a message went through`;
    return { since, fact, remedy: 'Nothing: one is tried now.' };
  }
  const fact = `takes no messages (${visible(breakage.reason, 80)}); its reviews are told by mail`;
  return { since, fact, remedy: breakage.remedy };
}
