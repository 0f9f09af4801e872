import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import { CLEAN_VERDICTS } from '../verdict.js';
import { storableJson, storableText } from '../text.js';

/** A refusal that a verdict tells of. */
export interface Denial {
  readonly endpointId: string;
  readonly bucket: string;
  readonly reason: string;
  readonly detail?: string | undefined;
  readonly at: Instant;
}

/** What stands of a bucket that may not be read. */
export interface BucketDenial {
  readonly endpoint_id: string;
  readonly bucket: string;
  readonly first_at: Instant;
  readonly last_at: Instant;
  readonly reason: string;
  readonly detail: string | null;
  readonly told_at: Instant | null;
}

/** The objects of a bucket that were refused for one reason; `count` of the newest {@link COUNTED} of the bucket. */
export interface DeniedObjects {
  readonly reason: string;
  readonly detail: string | null;
  readonly count: number;
  readonly key: string;
}

/** How many refused objects are looked at for an alert. */
export const COUNTED = 1_000;

// A bucket of which every scan is refused has its row written once a minute, however many end in it.
const NOTED_EVERY_MS = 60_000;

const COLUMNS = `endpoint_id, bucket, first_at::float8, last_at::float8, reason, detail, told_at::float8`;

/**
 * Notes that scans were refused, one row for each bucket. In the transaction of their verdicts; buckets in one order,
 * as everybody takes several.
 */
export async function noteDenials(tx: Queryable, denials: readonly Denial[]): Promise<void> {
  if (denials.length === 0) return;
  const byBucket = new Map(denials.map((one) => [JSON.stringify([one.endpointId, one.bucket]), one]));
  const rows = [...byBucket.values()].map(({ endpointId, bucket, reason, detail, at }) => ({
    endpoint_id: endpointId,
    bucket,
    reason: storableText(reason, 200),
    detail: detail === undefined ? undefined : storableText(detail, 1000),
    at,
  }));
  await tx.query(
    // Left out beforehand and not by DO UPDATE … WHERE, which would lock the row of a storm all the same.
    `INSERT INTO bucket_denial AS d (endpoint_id, bucket, first_at, last_at, reason, detail)
     SELECT n.endpoint_id, n.bucket, n.at, n.at, n.reason, n.detail
       FROM json_to_recordset($1::json) AS n (endpoint_id text, bucket text, reason text, detail text, at bigint)
      WHERE NOT EXISTS (
        SELECT FROM bucket_denial k
         WHERE k.endpoint_id = n.endpoint_id AND k.bucket = n.bucket AND k.last_at > n.at - $2)
      ORDER BY n.endpoint_id, n.bucket
     ON CONFLICT (endpoint_id, bucket) DO UPDATE
       SET last_at = greatest(d.last_at, excluded.last_at), reason = excluded.reason, detail = excluded.detail`,
    [storableJson(rows), NOTED_EVERY_MS],
  );
}

/** Every bucket that may not be read, longest first. */
export const bucketDenials = (db: Queryable): Promise<BucketDenial[]> =>
  db.query(`SELECT ${COLUMNS} FROM bucket_denial ORDER BY first_at, endpoint_id, bucket LIMIT 10000`);

/** Takes one that has not been told since, to the end of the transaction; others skip it. */
export async function takeUntold(
  tx: Queryable,
  told: { readonly since: Instant },
): Promise<BucketDenial | undefined> {
  const [row] = await tx.query<BucketDenial>(
    `SELECT ${COLUMNS} FROM bucket_denial WHERE told_at IS NULL OR told_at < $1
      ORDER BY first_at LIMIT 1 FOR UPDATE SKIP LOCKED`,
    [told.since],
  );
  return row;
}

export const markTold = (tx: Queryable, { endpoint_id, bucket }: BucketDenial, at: Instant) =>
  tx.query('UPDATE bucket_denial SET told_at = $3 WHERE endpoint_id = $1 AND bucket = $2', [
    endpoint_id,
    bucket,
    at,
  ]);

/**
 * Forgets buckets of which nothing was refused since `quietSince` and an object that came later was read, and those of
 * which nothing was refused since `goneSince`.
 */
export const forgetResolved = (
  db: Queryable,
  { quietSince, goneSince }: { readonly quietSince: Instant; readonly goneSince: Instant },
): Promise<unknown> =>
  db.query(
    `DELETE FROM bucket_denial d
      WHERE d.last_at < $2
         OR d.last_at < $1 AND EXISTS (
              SELECT FROM (
                SELECT o.endpoint_id, o.verdict FROM object_version o
                 WHERE o.bucket = d.bucket AND o.folded_into IS NULL AND o.first_seen_at > d.last_at
                 ORDER BY o.first_seen_at DESC, o.id DESC LIMIT 100) newer
               WHERE newer.endpoint_id = d.endpoint_id AND newer.verdict = ANY ($3::text[]))`,
    [quietSince, goneSince, READ],
  );

// Nobody says one of these without having read the object.
const READ = [
  ...CLEAN_VERDICTS,
  'infected',
  'secrets',
  'suspicious',
  'encrypted',
  'incomplete',
  'unsupported',
];

/** Why objects of the bucket stand as denied, the commonest reason first; ten at most. */
export const deniedObjects = (
  db: Queryable,
  { endpoint_id, bucket }: Pick<BucketDenial, 'endpoint_id' | 'bucket'>,
): Promise<DeniedObjects[]> =>
  db.query(
    `SELECT v.reason, max(v.detail) AS detail, count(*)::int AS count, min(o.key) AS key
       FROM (SELECT key, verdict_id FROM object_version
              WHERE endpoint_id = $1 AND bucket = $2 AND verdict = 'denied' AND folded_into IS NULL
              ORDER BY first_seen_at DESC, id DESC LIMIT $3) o
       JOIN verdict v ON v.id = o.verdict_id
      GROUP BY v.reason ORDER BY count DESC, v.reason LIMIT 10`,
    [endpoint_id, bucket, COUNTED],
  );
