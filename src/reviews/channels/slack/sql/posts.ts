import type { Queryable } from '../../../../database/queryable.js';
import type { Review } from '../../../review.js';
import { laneOf, SLACK_COPY, SLACK_POST } from '../delivery/slack-kinds.js';
import { WAITS } from './waits.js';

/** Whether a review's own message waits to be posted. */
export async function isPostUnderWay(
  db: Queryable,
  { id, policy }: Pick<Review, 'id' | 'policy'>,
): Promise<boolean> {
  const rows = await db.query(
    `SELECT 1 FROM outbox
      WHERE order_group = $1 AND kind = '${SLACK_POST}' AND state IN ('pending', 'sending', 'ambiguous')
        AND payload->>'reviewId' = $2 LIMIT 1`,
    [laneOf(policy.queue), id],
  );
  return rows.length > 0;
}

/** Reviews of a queue that wait for a decision, whose own messages wait to be posted and that were not told otherwise yet. */
export async function waitingUntold(db: Queryable, queue: string, limit: number): Promise<string[]> {
  const rows = await db.query<{ review_id: string }>(
    `SELECT review.id AS review_id FROM outbox o JOIN review ON review.id = (o.payload->>'reviewId')::uuid
      WHERE o.order_group = $1 AND o.kind = '${SLACK_POST}' AND o.state IN ('pending', 'sending', 'ambiguous')
        AND review.${WAITS} AND NOT EXISTS (SELECT 1 FROM slack_unshown u WHERE u.review_id = review.id)
      ORDER BY o.id LIMIT $2`,
    [laneOf(queue), limit],
  );
  return rows.map((row) => row.review_id);
}

/** Whether the message waits that shows whether a broken place works again. */
export async function isProbeUnderWay(db: Queryable, probe: string): Promise<boolean> {
  const rows = await db.query(
    `SELECT 1 FROM outbox
      WHERE kind IN ('${SLACK_POST}', '${SLACK_COPY}') AND state IN ('pending', 'sending', 'ambiguous')
        AND payload->>'probe' = $1 LIMIT 1`,
    [probe],
  );
  return rows.length > 0;
}
