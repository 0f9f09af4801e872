import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { JsonObject } from '../../engine/model/json.js';

export interface BacklogRow {
  readonly scan_id: string;
  readonly object_id: string;
  readonly endpoint_id: string;
  readonly bucket: string;
  readonly priority: number;
  readonly workflow_name: string;
  readonly workflow_version: number | null;
  readonly workflow_id: string;
  readonly input: JsonObject;
  readonly enqueued_at: number;
  readonly attempts: number;
}

/**
 * The first `perBucket` of every bucket that waits, by priority and by age, without reading the thousands behind
 * them: the buckets are found by jumping through the index.
 */
export const waitingItems = (
  db: Queryable,
  args: { readonly now: Instant; readonly perBucket: number },
): Promise<BacklogRow[]> =>
  db.query<BacklogRow>(
    `WITH RECURSIVE place AS (
       (SELECT endpoint_id, bucket FROM backlog_item ORDER BY endpoint_id, bucket LIMIT 1)
       UNION ALL
       SELECT n.endpoint_id, n.bucket FROM place p CROSS JOIN LATERAL (
         SELECT b.endpoint_id, b.bucket FROM backlog_item b
          WHERE (b.endpoint_id, b.bucket) > (p.endpoint_id, p.bucket)
          ORDER BY b.endpoint_id, b.bucket LIMIT 1) n
     )
     SELECT i.scan_id, i.object_id, i.endpoint_id, i.bucket, i.priority, i.workflow_name, i.workflow_version, i.workflow_id, i.input,
            i.enqueued_at::float8, i.attempts
       FROM backlog_item i WHERE i.scan_id IN (
         SELECT c.scan_id FROM place p CROSS JOIN LATERAL (
           (SELECT b.scan_id FROM backlog_item b
             WHERE b.endpoint_id = p.endpoint_id AND b.bucket = p.bucket AND b.not_before <= $1
             ORDER BY b.priority DESC, b.enqueued_at, b.scan_id LIMIT $2)
           UNION
           (SELECT b.scan_id FROM backlog_item b
             WHERE b.endpoint_id = p.endpoint_id AND b.bucket = p.bucket AND b.not_before <= $1
             ORDER BY b.enqueued_at LIMIT $2)) c)`,
    [args.now, args.perBucket],
  );
