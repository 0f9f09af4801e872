import type { WebClient } from '@slack/web-api';
import { z } from 'zod';
import { InvalidInput } from '../../../../errors.js';
import { visible } from '../../../../outbound/safe-text.js';
import { remedyOf } from '../delivery/remedies.js';
import { slackErrorCode } from '../delivery/slack-errors.js';

/** Why nothing can be posted in a channel, and what mends it. */
export interface ChannelTrouble {
  readonly code: string;
  /** As a sentence that goes on: "the channel …". */
  readonly fact: string;
  readonly remedy: string;
  /** Somebody can mend it in Slack without choosing another channel. */
  readonly isMendable: boolean;
}

/** A channel as Slack tells it. */
export interface SeenChannel {
  readonly id: string;
  /** `undefined` when Slack does not tell. */
  readonly name?: string | undefined;
  readonly isPrivate: boolean;
  readonly isMember: boolean;
  readonly isArchived: boolean;
  readonly trouble?: ChannelTrouble | undefined;
}

/** Slack's own form, as far as we use it. */
export const Conversation = z.object({
  id: z.string().max(100),
  name: z.string().max(500).optional(),
  is_private: z.boolean().optional(),
  is_member: z.boolean().optional(),
  is_archived: z.boolean().optional(),
});

const NOT_FOUND: ChannelTrouble = {
  code: 'channel_not_found',
  fact: 'is not there, or is private and the app was not invited',
  remedy: remedyOf('channel_not_found'),
  isMendable: true,
};
const ARCHIVED: ChannelTrouble = {
  code: 'is_archived',
  fact: 'is archived',
  remedy: remedyOf('is_archived'),
  isMendable: false,
};
const NOT_MEMBER: ChannelTrouble = {
  code: 'not_in_channel',
  fact: 'does not have the app as a member',
  remedy: remedyOf('not_in_channel'),
  isMendable: true,
};
const TROUBLES = new Map([NOT_FOUND, ARCHIVED, NOT_MEMBER].map((trouble) => [trouble.code, trouble]));

/** What Slack's list or answer says of a channel. @param scopes of the token: with one of them membership is not needed. */
export function seenChannel(told: z.infer<typeof Conversation>, scopes: readonly string[] = []): SeenChannel {
  const isPrivate = told.is_private === true;
  const isMember = told.is_member === true;
  const isArchived = told.is_archived === true;
  const mayPost = isMember || (!isPrivate && scopes.includes('chat:write.public'));
  const trouble = isArchived ? ARCHIVED : mayPost ? undefined : NOT_MEMBER;
  const name = told.name === undefined ? undefined : visible(told.name, 100);
  return { id: told.id, name, isPrivate, isMember, isArchived, trouble };
}

/**
 * Asks Slack about one channel. @returns `undefined` when Slack does not tell: without channels:read, or while it does
 * not answer; that says nothing about the channel.
 */
export async function lookAtChannel(web: WebClient, id: string): Promise<SeenChannel | undefined> {
  try {
    const answer = await web.conversations.info({ channel: id });
    return seenChannel(Conversation.parse(answer.channel), answer.response_metadata?.scopes ?? []);
  } catch (error) {
    const trouble = TROUBLES.get(slackErrorCode(error));
    if (trouble === undefined) return undefined;
    return { id, isPrivate: false, isMember: false, isArchived: trouble === ARCHIVED, trouble };
  }
}

/** @throws InvalidInput for a channel to which nothing can be posted, and that inviting the app alone does not mend. */
export function refusalOfChannel(field: string, seen: SeenChannel | undefined): void {
  const { trouble } = seen ?? {};
  if (trouble === undefined || trouble.isMendable) return;
  throw InvalidInput.field(field, `the channel ${trouble.fact}. ${trouble.remedy}`);
}
