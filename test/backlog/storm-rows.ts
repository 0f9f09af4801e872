import type { TestDatabase } from '../support/database.js';

export const STORM_AT = Date.UTC(2026, 10, 23, 12);

export interface Storm {
  readonly waiting: number;
  readonly buckets: number;
  /** Scans that are over already, beside those that wait. */
  readonly over?: number;
}

/** Puts a storm's rows where intake puts them, a statement for each table. */
export async function storm(test: TestDatabase, { waiting, buckets, over = 0 }: Storm): Promise<void> {
  await test.query(
    `INSERT INTO object_version (id, endpoint_id, bucket, key, version_id, identity, identity_fixed, origin, is_latest,
                                 uploaded_at, first_seen_at, generation)
     SELECT gen_random_uuid(), 's3', 'b' || (n % $2), 'k' || n, 'v', n::text, true, 'event', true, $3::bigint, $3, 1
       FROM generate_series(1, $1::int) n`,
    [waiting + over, buckets, STORM_AT],
  );
  await test.query(
    `INSERT INTO scan (id, object_id, generation, origin, requested_by, opened_object, workflow_name, workflow_id,
                       requested_at, started_at, verdict_at, closed_at)
     SELECT gen_random_uuid(), id, 1, 'event', 'system:intake', false, 'scan_upload', 'w' || identity, $2::bigint,
            CASE WHEN identity::int > $1 THEN $2 END, CASE WHEN identity::int > $1 THEN $2 END,
            CASE WHEN identity::int > $1 THEN $2 END
       FROM object_version`,
    [waiting, STORM_AT],
  );
  await test.query(
    `INSERT INTO backlog_item (scan_id, object_id, endpoint_id, bucket, source_class, priority, workflow_name,
                               workflow_id, input, size_bytes, enqueued_at, not_before)
     SELECT s.id, o.id, o.endpoint_id, o.bucket, CASE WHEN o.identity::int % 10 = 0 THEN 'backfill' ELSE 'upload' END,
            CASE WHEN o.identity::int % 10 = 0 THEN 10 ELSE 50 END, s.workflow_name, s.workflow_id,
            json_build_object('scanId', s.id, 'bucket', o.bucket, 'key', o.key), 1000,
            $2::bigint + o.identity::int, $2::bigint
       FROM scan s JOIN object_version o ON o.id = s.object_id WHERE o.identity::int <= $1`,
    [waiting, STORM_AT],
  );
  await test.query('ANALYZE object_version');
  await test.query('ANALYZE scan');
  await test.query('VACUUM (ANALYZE) backlog_item');
}

/** Every scan that runs gets its verdict at once. */
export const judgeAll = (test: TestDatabase): Promise<unknown> =>
  test.query(
    `UPDATE scan SET verdict_at = started_at
      WHERE started_at IS NOT NULL AND verdict_at IS NULL AND closed_at IS NULL`,
  );
