import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';

/** Takes the open reviews that were not looked at for longest; other nodes take others. */
export const claimUnchecked = (
  db: Queryable,
  args: { now: Instant; notSince: Instant; limit: number },
): Promise<{ id: string; task_id: string }[]> =>
  db.query(
    `WITH old AS (
       SELECT id FROM review WHERE state IN ('OPEN', 'ASSIGNED', 'CLAIMED', 'ON_HOLD', 'INFO_REQUESTED') AND checked_at <= $2
       ORDER BY checked_at LIMIT $3 FOR UPDATE SKIP LOCKED
     )
     UPDATE review SET checked_at = $1 FROM old WHERE review.id = old.id
     RETURNING review.id, review.task_id`,
    [args.now, args.notSince, args.limit],
  );
