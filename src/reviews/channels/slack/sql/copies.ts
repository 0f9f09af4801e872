import type { Instant } from '../../../../clock.js';
import type { Queryable } from '../../../../database/queryable.js';

/** A copy of a review that people see in Slack. */
export interface SlackCopy {
  readonly channel: string;
  readonly ts: string;
}

export const insertSlackCopy = (
  db: Queryable,
  reviewId: string,
  copy: SlackCopy,
  now: Instant,
): Promise<unknown> =>
  db.query(
    `INSERT INTO review_message (review_id, channel, address, message_id, posted_at)
     VALUES ($1, 'slack', $2, $3, $4) ON CONFLICT (review_id, channel, address) DO NOTHING`,
    [reviewId, copy.channel, copy.ts, now],
  );

export async function slackCopies(db: Queryable, reviewId: string): Promise<SlackCopy[]> {
  const rows = await db.query<{ address: string; message_id: string }>(
    `SELECT address, message_id FROM review_message WHERE review_id = $1 AND channel = 'slack' ORDER BY address`,
    [reviewId],
  );
  return rows.map((row) => ({ channel: row.address, ts: row.message_id }));
}
