import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';

export interface SeenMessage {
  readonly topicArn: string;
  readonly messageId: string;
}

/** Whether a message of SNS was dealt with already. */
export async function wasSeen(db: Queryable, { topicArn, messageId }: SeenMessage): Promise<boolean> {
  const rows = await db.query('SELECT FROM sns_message WHERE topic_arn = $1 AND message_id = $2', [
    topicArn,
    messageId,
  ]);
  return rows.length > 0;
}

/** Remembers it. @returns whether it is news. */
export async function markSeen(
  db: Queryable,
  { topicArn, messageId, at }: SeenMessage & { readonly at: Instant },
): Promise<boolean> {
  const rows = await db.query(
    `INSERT INTO sns_message (topic_arn, message_id, at) VALUES ($1, $2, $3)
     ON CONFLICT (topic_arn, message_id) DO NOTHING RETURNING at`,
    [topicArn, messageId, at],
  );
  return rows.length > 0;
}

/** Forgets those that are refused for their age by now. @returns how many. */
export async function forgetSeen(db: Queryable, before: Instant, limit: number): Promise<number> {
  const rows = await db.query(
    `DELETE FROM sns_message WHERE ctid IN (SELECT ctid FROM sns_message WHERE at < $1 LIMIT $2) RETURNING at`,
    [before, limit],
  );
  return rows.length;
}
