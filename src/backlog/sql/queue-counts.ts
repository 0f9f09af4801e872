import type { Queryable } from '../../database/queryable.js';
import type { LaneRow } from './queue-lanes.js';

/** How much of one queue waits. */
export interface WaitingCount extends LaneRow {
  readonly count: number;
  readonly bytes: number;
  readonly oldest_at: number;
  /** Of them, those that are tried again later, or whose object is asked by the rules. */
  readonly postponed: number;
}

/** What waits, by queue: one pass over all of it, 50 ms for 100,000. */
export const waitingCounts = (db: Queryable, assumedBytes: number): Promise<WaitingCount[]> =>
  db.query<WaitingCount>(
    `SELECT endpoint_id, bucket, source_class, sum(count)::int AS count, sum(bytes)::float8 AS bytes,
            min(oldest_at)::float8 AS oldest_at, sum(postponed)::int AS postponed
       FROM (
         SELECT endpoint_id, bucket, source_class, count(*) AS count, 0 AS postponed,
                sum(coalesce(size_bytes, $1)) AS bytes, min(enqueued_at) AS oldest_at
           FROM backlog_item WHERE NOT postponed AND decide_at IS NULL GROUP BY 1, 2, 3
         UNION ALL
         SELECT endpoint_id, bucket, source_class, count(*), count(*),
                sum(coalesce(size_bytes, $1)), min(enqueued_at)
           FROM backlog_item WHERE postponed OR decide_at IS NOT NULL GROUP BY 1, 2, 3) counted
      GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
    [assumedBytes],
  );

export interface DeadCount extends LaneRow {
  readonly count: number;
}

export const deadCounts = (db: Queryable): Promise<DeadCount[]> =>
  db.query<DeadCount>(
    `SELECT endpoint_id, bucket, source_class, count(*)::int AS count
       FROM dead_letter GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
  );
