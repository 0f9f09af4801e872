import { z } from 'zod';
import type { Queryable } from '../../../database/queryable.js';
import type { OutboxMessage } from '../../../outbound/outbox.js';
import { watchersOf } from '../../sql/watchers.js';

/** Outbox kind of one person's mail about something that happened to a review. It asks nothing and decides nothing. */
export const REVIEW_NEWS = 'review.news';

export const News = z.object({
  /** Makes the news unique. */
  event: z.string().min(1).max(200),
  /** `mentioned`, or the kind of the timeline's line. */
  what: z.string().min(1).max(60),
  by: z.object({ id: z.string(), name: z.string() }),
  /** In what they are mentioned; in a comment where it is absent. */
  where: z.enum(['question', 'answer']).optional(),
  text: z.string().max(10_000).optional(),
});
export type News = z.infer<typeof News>;

export const NewsPayload = z.object({ reviewId: z.uuid(), personId: z.string().min(1), news: News });

/** Without an address: who may see the review, and where they get mail, is judged when it leaves. */
export const newsMessage = (
  reviewId: string,
  person: { readonly id: string },
  news: News,
): OutboxMessage => ({
  kind: REVIEW_NEWS,
  key: `${reviewId}:${news.event}:${news.what === 'mentioned' ? 'mention' : 'watch'}:${person.id}`,
  payload: { reviewId, personId: person.id, news },
});

/** For everybody who watches a review but whoever did it. */
export async function watchedMessages(tx: Queryable, reviewId: string, news: News): Promise<OutboxMessage[]> {
  const watchers = await watchersOf(tx, reviewId);
  return watchers.filter(({ id }) => id !== news.by.id).map((person) => newsMessage(reviewId, person, news));
}
