import type { Queryable } from '../../../../database/queryable.js';

/** Before a review's message is sent: it may be in this channel from now on. */
export const notePosting = (db: Queryable, reviewId: string, channel: string): Promise<unknown> =>
  db.query('INSERT INTO slack_posting (review_id, channel) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    reviewId,
    channel,
  ]);

/** Channels in which a review's message may be. */
export async function postingsOf(db: Queryable, reviewId: string): Promise<string[]> {
  const rows = await db.query<{ channel: string }>(
    'SELECT channel FROM slack_posting WHERE review_id = $1 ORDER BY channel',
    [reviewId],
  );
  return rows.map(({ channel }) => channel);
}

/** It is known where its message is. */
export const forgetPostings = (db: Queryable, reviewId: string): Promise<unknown> =>
  db.query('DELETE FROM slack_posting WHERE review_id = $1', [reviewId]);
