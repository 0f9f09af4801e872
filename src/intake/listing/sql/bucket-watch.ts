import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';

/** Since when a bucket's uploads are ours to know, and whether its events arrive. */
export interface BucketWatch {
  readonly endpointId: string;
  readonly bucket: string;
  readonly since: Instant;
  readonly reconciledAt: Instant | undefined;
  /** The upload time of the oldest that no event told of, while that lasts. */
  readonly missedSince: Instant | undefined;
  readonly missed: number;
}

interface WatchRow {
  readonly endpoint_id: string;
  readonly bucket: string;
  readonly since: number;
  readonly reconciled_at: number | null;
  readonly missed_since: number | null;
  readonly missed: number;
}

const COLUMNS = `endpoint_id, bucket, since::float8, reconciled_at::float8, missed_since::float8, missed::float8`;

/**
 * Begins to watch buckets that are not watched yet: from now on, or from the first event that was ever taken from there.
 */
export async function watchBuckets(
  db: Queryable,
  buckets: readonly { readonly endpointId: string; readonly bucket: string }[],
  at: Instant,
): Promise<void> {
  if (buckets.length === 0) return;
  await db.query(
    `INSERT INTO bucket_watch (endpoint_id, bucket, since)
     SELECT b.endpoint_id, b.bucket, least($3::bigint, (
              SELECT o.first_seen_at FROM object_version o
               WHERE o.bucket = b.bucket AND o.endpoint_id = b.endpoint_id AND o.folded_into IS NULL
                 AND o.origin = 'event'
               ORDER BY o.first_seen_at LIMIT 1))
       FROM unnest($1::text[], $2::text[]) AS b (endpoint_id, bucket)
      WHERE NOT EXISTS (
        SELECT FROM bucket_watch w WHERE w.endpoint_id = b.endpoint_id AND w.bucket = b.bucket)
     ON CONFLICT (endpoint_id, bucket) DO NOTHING`,
    [buckets.map(({ endpointId }) => endpointId), buckets.map(({ bucket }) => bucket), at],
  );
}

export async function findWatch(
  db: Queryable,
  bucket: { readonly endpointId: string; readonly bucket: string },
): Promise<BucketWatch | undefined> {
  const [row] = await db.query<WatchRow>(
    `SELECT ${COLUMNS} FROM bucket_watch WHERE endpoint_id = $1 AND bucket = $2`,
    [bucket.endpointId, bucket.bucket],
  );
  return row && watchOf(row);
}

// A backfill may have brought millions of objects since the last event; beyond so many it counts as unknown.
const LOOKED_BACK = 1_000;

/** Every watched bucket of these, with the moment at which an event last told of an upload. */
export async function watchedBuckets(
  db: Queryable,
  buckets: readonly { readonly endpointId: string; readonly bucket: string }[],
): Promise<(BucketWatch & { readonly lastEventAt: Instant | undefined })[]> {
  const rows = await db.query<WatchRow & { readonly last_event_at: number | null }>(
    `SELECT ${COLUMNS}, (
              SELECT n.first_seen_at::float8 FROM (
                SELECT o.first_seen_at, o.origin FROM object_version o
                 WHERE o.bucket = w.bucket AND o.endpoint_id = w.endpoint_id AND o.folded_into IS NULL
                 ORDER BY o.first_seen_at DESC LIMIT ${LOOKED_BACK}) n
               WHERE n.origin = 'event' ORDER BY n.first_seen_at DESC LIMIT 1) AS last_event_at
       FROM bucket_watch w
       JOIN unnest($1::text[], $2::text[]) AS b (wanted_endpoint, wanted_bucket)
         ON w.endpoint_id = wanted_endpoint AND w.bucket = wanted_bucket`,
    [buckets.map(({ endpointId }) => endpointId), buckets.map(({ bucket }) => bucket)],
  );
  return rows.map((row) => ({ ...watchOf(row), lastEventAt: row.last_event_at ?? undefined }));
}

/** Buckets whose events do not arrive. */
export async function silentBuckets(db: Queryable, limit: number): Promise<BucketWatch[]> {
  const rows = await db.query<WatchRow>(
    `SELECT ${COLUMNS} FROM bucket_watch WHERE missed_since IS NOT NULL ORDER BY missed_since LIMIT $1`,
    [limit],
  );
  return rows.map(watchOf);
}

/** Adds uploads that no event told of. @returns true for the first ones, about which nobody was alerted yet. */
export async function tellMissed(
  tx: Queryable,
  missed: {
    readonly endpointId: string;
    readonly bucket: string;
    readonly count: number;
    /** Of the oldest. */
    readonly uploadedAt: Instant;
    readonly at: Instant;
  },
): Promise<boolean> {
  const [row] = await tx.query<{ is_first: boolean }>(
    `WITH before AS (
       SELECT alerted_at FROM bucket_watch WHERE endpoint_id = $1 AND bucket = $2 FOR NO KEY UPDATE)
     UPDATE bucket_watch w SET missed = missed + $3, missed_since = least(missed_since, $4),
            alerted_at = coalesce(w.alerted_at, $5)
       FROM before WHERE endpoint_id = $1 AND bucket = $2
     RETURNING before.alerted_at IS NULL AS is_first`,
    [missed.endpointId, missed.bucket, missed.count, missed.uploadedAt, missed.at],
  );
  return row?.is_first === true;
}

/** A whole comparison is done; one that missed nothing says that the events arrive again. */
export const tellReconciled = (
  tx: Queryable,
  done: {
    readonly endpointId: string;
    readonly bucket: string;
    readonly missedNothing: boolean;
    readonly at: Instant;
  },
): Promise<unknown> =>
  tx.query(
    `UPDATE bucket_watch SET reconciled_at = $3,
            missed_since = CASE WHEN $4 THEN NULL ELSE missed_since END,
            missed = CASE WHEN $4 THEN 0 ELSE missed END,
            alerted_at = CASE WHEN $4 THEN NULL ELSE alerted_at END
      WHERE endpoint_id = $1 AND bucket = $2`,
    [done.endpointId, done.bucket, done.at, done.missedNothing],
  );

const watchOf = (row: WatchRow): BucketWatch => ({
  endpointId: row.endpoint_id,
  bucket: row.bucket,
  since: row.since,
  reconciledAt: row.reconciled_at ?? undefined,
  missedSince: row.missed_since ?? undefined,
  missed: row.missed,
});
