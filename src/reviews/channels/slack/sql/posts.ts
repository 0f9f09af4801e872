import type { Queryable } from '../../../../database/queryable.js';
import type { Review } from '../../../review.js';
import { laneOf, SLACK_COPY, SLACK_POST } from '../delivery/slack-kinds.js';

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
