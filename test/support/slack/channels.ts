import type { Json } from './refusal.js';

/** A channel to add to the workspace. */
export interface ChannelSeed {
  readonly id: string;
  readonly name: string;
  readonly isPrivate?: boolean | undefined;
  readonly archived?: boolean | undefined;
  /** Whether the app is in it; true when left out. */
  readonly botIsMember?: boolean | undefined;
}

/** A channel, or the conversation of the app with one person. */
export interface FakeChannel {
  readonly id: string;
  name: string;
  readonly isPrivate: boolean;
  archived: boolean;
  botIsMember: boolean;
  /** The other person of a direct message. */
  readonly directWith?: string | undefined;
  readonly members: Set<string>;
}

/** Slack's three kinds, whose names stand in the scopes: channels:history, groups:history, im:history. */
export type ChannelKind = 'channels' | 'groups' | 'im';

export const kindOf = (channel: FakeChannel): ChannelKind =>
  channel.directWith !== undefined ? 'im' : channel.isPrivate ? 'groups' : 'channels';

/** The name in interactions, where Slack hides those of private conversations. */
export const nameInPayload = (channel: FakeChannel): string =>
  channel.directWith !== undefined ? 'directmessage' : channel.isPrivate ? 'privategroup' : channel.name;

/** The channel as Slack shows it. */
export function asSlackChannel(channel: FakeChannel): Json {
  if (channel.directWith !== undefined)
    return { id: channel.id, is_im: true, user: channel.directWith, is_archived: false, is_open: true };
  return {
    id: channel.id,
    name: channel.name,
    name_normalized: channel.name,
    is_channel: !channel.isPrivate,
    is_group: channel.isPrivate,
    is_im: false,
    is_mpim: false,
    is_private: channel.isPrivate,
    is_archived: channel.archived,
    is_member: channel.botIsMember,
    num_members: channel.members.size + (channel.botIsMember ? 1 : 0),
    topic: { value: '' },
    purpose: { value: '' },
  };
}
