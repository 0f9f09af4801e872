import type { WebClient } from '@slack/web-api';
import { z } from 'zod';
import type { Instant } from '../../../../clock.js';
import type { SlackHome } from '../inbound/handled.js';
import { SlackAnswerError } from './slack-errors.js';

const PAGE = 200;
// Two thousand messages after ours was to be sent: beyond, a second one does less harm than the search.
const MOST_PAGES = 10;
// Slack's clock is not ours.
const SKEW_SECONDS = 120;

const Page = z.object({
  messages: z
    .array(
      z.object({
        ts: z.string(),
        thread_ts: z.string().optional(),
        app_id: z.string().nullish(),
        bot_id: z.string().nullish(),
        metadata: z
          .object({ event_type: z.string(), event_payload: z.record(z.string(), z.unknown()) })
          .optional(),
      }),
    )
    .default([]),
  response_metadata: z.object({ next_cursor: z.string().optional() }).nullish(),
});

/** Where a message would stand, had it arrived. */
interface Place {
  readonly channel: string;
  readonly thread?: string | undefined;
  readonly since: Instant;
  readonly eventType: string;
  /** Whose messages are ours; of anybody where Slack does not say who we are. */
  readonly by: Pick<SlackHome, 'appId' | 'botId'> | undefined;
}

/** A message of ours by the id that it carries. @returns its ts; `undefined` when it is not there. */
export async function findPosted(
  web: WebClient,
  { channel, thread, since, eventType, by }: Place,
  wanted: { readonly notificationId: string; readonly reviewId?: string | undefined },
): Promise<string | undefined> {
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const asked = {
      channel,
      oldest: String(Math.floor(since / 1000) - SKEW_SECONDS),
      limit: PAGE,
      include_all_metadata: true,
      ...(cursor === undefined ? {} : { cursor }),
    };
    const answer =
      thread === undefined
        ? await web.conversations.history(asked)
        : await web.conversations.replies({ ...asked, ts: thread });
    const told = Page.safeParse(answer);
    if (!told.success) throw new SlackAnswerError('the answer is no page of messages');
    const { messages, response_metadata: more } = told.data;
    const found = messages.find(
      (message) => isBy(message, by) && isWanted(message, thread !== undefined, eventType, wanted),
    );
    if (found !== undefined) return found.ts;
    cursor = more?.next_cursor;
    if (cursor === undefined || cursor === '') return undefined;
  }
  return undefined;
}

type Message = z.infer<typeof Page>['messages'][number];

/** Metadata are anybody's to write; by whom a message is, Slack says. */
function isBy({ app_id: appId, bot_id: botId }: Message, by: Place['by']): boolean {
  if (by?.appId === undefined && by?.botId === undefined) return true;
  return (by.appId !== undefined && appId === by.appId) || (by.botId !== undefined && botId === by.botId);
}

/** A review has one message of its own in a channel, whichever attempt posted it; everything else goes by its id. */
function isWanted(
  { ts, thread_ts: root, metadata }: Message,
  inThread: boolean,
  eventType: string,
  wanted: { readonly notificationId: string; readonly reviewId?: string | undefined },
): boolean {
  if (metadata?.event_type !== eventType) return false;
  const { notification_id: id, review_id: reviewId } = metadata.event_payload;
  if (inThread || wanted.reviewId === undefined) return id === wanted.notificationId;
  // What a thread shows in the channel, too, is no message of its own.
  return reviewId === wanted.reviewId && (root === undefined || root === ts);
}
