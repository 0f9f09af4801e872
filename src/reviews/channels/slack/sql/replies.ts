import type { Queryable } from '../../../../database/queryable.js';

/** A reply in a thread, and the comment that it became. */
export interface SlackReply {
  readonly channel: string;
  readonly ts: string;
  readonly reviewId: string;
  readonly commentId: string;
}

interface ReplyRow {
  readonly channel: string;
  readonly ts: string;
  readonly review_id: string;
  readonly comment_id: string;
}

const toReply = (row: ReplyRow): SlackReply => ({
  channel: row.channel,
  ts: row.ts,
  reviewId: row.review_id,
  commentId: row.comment_id,
});

/** @returns whether it is new: Slack may tell of one message several times. */
export async function insertReply(tx: Queryable, reply: SlackReply): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO slack_reply (channel, ts, review_id, comment_id) VALUES ($1, $2, $3, $4)
     ON CONFLICT (channel, ts) DO NOTHING RETURNING ts`,
    [reply.channel, reply.ts, reply.reviewId, reply.commentId],
  );
  return rows.length === 1;
}

export async function findReply(db: Queryable, channel: string, ts: string): Promise<SlackReply | undefined> {
  const [row] = await db.query<ReplyRow>('SELECT * FROM slack_reply WHERE channel = $1 AND ts = $2', [
    channel,
    ts,
  ]);
  return row && toReply(row);
}

/** Where a comment was written, if in a thread. */
export async function replyOf(db: Queryable, commentId: string): Promise<SlackReply | undefined> {
  const [row] = await db.query<ReplyRow>('SELECT * FROM slack_reply WHERE comment_id = $1::uuid LIMIT 1', [
    commentId,
  ]);
  return row && toReply(row);
}
