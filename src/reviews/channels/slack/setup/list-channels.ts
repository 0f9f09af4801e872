import type { WebClient } from '@slack/web-api';
import { z } from 'zod';
import { SlackAnswerError } from '../delivery/slack-errors.js';
import { askSlack } from './ask-slack.js';
import { Conversation, seenChannel, type SeenChannel } from './slack-channels.js';

// Slack gives up to a thousand at once and asks for fewer.
const PAGE = 200;
// Of a name that is looked for: so many channels are looked through at most.
const MAX_PAGES = 10;
const MAX_FOUND = 100;

const Page = z.object({
  channels: z.array(z.unknown()).default([]),
  response_metadata: z.object({ next_cursor: z.string().max(1000).optional() }).optional(),
});

export interface ChannelPage {
  readonly channels: readonly SeenChannel[];
  readonly next: string | undefined;
}

/**
 * The channels that the bot sees, a page at a time: public ones, and private ones to which it was invited. With a name,
 * those of the next two thousand whose names hold it.
 */
export async function listChannels(
  web: WebClient,
  asked: { readonly cursor?: string | undefined; readonly name?: string | undefined },
): Promise<ChannelPage> {
  const wanted = asked.name?.replace(/^#/, '').toLowerCase();
  const channels: SeenChannel[] = [];
  let cursor = asked.cursor;
  for (let pages = 0; pages < (wanted === undefined ? 1 : MAX_PAGES); pages++) {
    const page = await onePage(web, cursor);
    for (const channel of page.channels) {
      if (wanted !== undefined && channel.name?.toLowerCase().includes(wanted) !== true) continue;
      channels.push(channel);
    }
    cursor = page.next;
    if (cursor === undefined || channels.length >= MAX_FOUND) break;
  }
  return { channels, next: cursor };
}

async function onePage(web: WebClient, cursor: string | undefined): Promise<ChannelPage> {
  const { page, scopes } = await askSlack(async () => {
    const answer = await web.conversations.list({
      types: 'public_channel,private_channel',
      exclude_archived: true,
      limit: PAGE,
      ...(cursor !== undefined && { cursor }),
    });
    const told = Page.safeParse(answer);
    if (!told.success) throw new SlackAnswerError('the answer is no list of channels');
    return { page: told.data, scopes: answer.response_metadata?.scopes ?? [] };
  });
  const channels = page.channels.flatMap((told) => {
    const channel = Conversation.safeParse(told);
    return channel.success ? [seenChannel(channel.data, scopes)] : [];
  });
  return { channels, next: page.response_metadata?.next_cursor || undefined };
}
