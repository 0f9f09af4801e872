import type { Queryable } from '../../database/queryable.js';
import type { SourceClass } from '../source-class.js';

/** What of one queue runs. */
export interface RunningRow {
  readonly endpoint_id: string;
  readonly bucket: string;
  readonly source_class: SourceClass;
  readonly count: number;
  readonly bytes: number;
  readonly largest_bytes: number;
}

/**
 * The scans that run, by queue: started, and without a verdict yet. One that waits for a person for weeks has its
 * verdict, and holds nobody's place. Looks at no more than `atMost`.
 *
 * Neither the limit nor OFFSET changes the answer: without them PostgreSQL, which takes the three conditions for
 * independent, expects a large part of all scans ever made, and reads both tables whole.
 */
export const runningScans = (
  db: Queryable,
  args: { readonly atMost: number; readonly assumedBytes: number },
): Promise<RunningRow[]> =>
  db.query<RunningRow>(
    `WITH running AS MATERIALIZED (
       SELECT object_id, source_class, origin FROM scan
        WHERE started_at IS NOT NULL AND verdict_at IS NULL AND closed_at IS NULL
        ORDER BY started_at LIMIT $1)
     SELECT o.endpoint_id, o.bucket,
            coalesce(r.source_class, CASE r.origin WHEN 'request' THEN 'request' ELSE 'upload' END) AS source_class,
            count(*)::int AS count, sum(coalesce(o.size_bytes, $2))::float8 AS bytes,
            max(coalesce(o.size_bytes, $2))::float8 AS largest_bytes
       FROM running r CROSS JOIN LATERAL (
         SELECT endpoint_id, bucket, size_bytes FROM object_version WHERE id = r.object_id OFFSET 0) o
      GROUP BY 1, 2, 3`,
    [args.atMost, args.assumedBytes],
  );
