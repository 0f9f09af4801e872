import type { Instant } from '../../clock.js';
import type { Place } from '../../cursor.js';
import type { Queryable } from '../../database/queryable.js';

export interface RejectFilter {
  readonly reason?: string | undefined;
  /** How it came: `webhook`, `sqs`, `sns`, `embedded`. */
  readonly source?: string | undefined;
  readonly bucket?: string | undefined;
}

/** A reject; times in milliseconds. */
export interface RejectRow {
  readonly id: string;
  readonly source_kind: string;
  readonly endpoint_id: string | null;
  readonly reason: string;
  readonly path: string;
  readonly message: string;
  readonly bucket: string | null;
  readonly truncated: boolean;
  readonly deliveries: number;
  readonly first_at: number;
  readonly last_at: number;
}

export interface WholeReject extends RejectRow {
  readonly raw: string;
}

const COLUMNS = `id::text, source_kind, endpoint_id, reason, path, message, bucket, truncated, deliveries,
  first_at::float8, last_at::float8`;

const WHERE = `($1::text IS NULL OR reason = $1) AND ($2::text IS NULL OR source_kind = $2)
  AND ($3::text IS NULL OR bucket = $3)`;

const valuesOf = ({ reason, source, bucket }: RejectFilter) => [
  reason ?? null,
  source ?? null,
  bucket ?? null,
];

/** Rejects, those that came last first. */
export const listRejects = (
  db: Queryable,
  filter: RejectFilter,
  page: { readonly after?: Place | undefined; readonly limit: number },
): Promise<RejectRow[]> =>
  db.query(
    `SELECT ${COLUMNS} FROM intake_reject r
      WHERE ${WHERE} AND ($4::bigint IS NULL OR (r.last_at, r.id) < ($4, $5::bigint))
      ORDER BY r.last_at DESC, r.id DESC LIMIT $6`,
    [...valuesOf(filter), page.after?.at ?? null, page.after?.id ?? null, page.limit],
  );

export async function findReject(db: Queryable, id: string): Promise<WholeReject | undefined> {
  const [row] = await db.query<WholeReject>(`SELECT ${COLUMNS}, raw FROM intake_reject WHERE id = $1`, [id]);
  return row;
}

/** Rejects that are whole, by their ids, for taking them in again one after another. */
export const replayableIds = async (
  db: Queryable,
  filter: RejectFilter,
  page: { readonly after: string; readonly limit: number },
): Promise<string[]> => {
  const rows = await db.query<{ id: string }>(
    // Not by the column of the answer, which is text.
    `SELECT id::text FROM intake_reject r WHERE ${WHERE} AND NOT truncated AND id > $4 ORDER BY r.id LIMIT $5`,
    [...valuesOf(filter), page.after, page.limit],
  );
  return rows.map(({ id }) => id);
};

/** Removes it, unless it came once more since it was read. @returns whether it is gone. */
export async function removeReject(db: Queryable, id: string, deliveries?: number): Promise<boolean> {
  const rows = await db.query(
    'DELETE FROM intake_reject WHERE id = $1 AND ($2::int IS NULL OR deliveries = $2) RETURNING id',
    [id, deliveries ?? null],
  );
  return rows.length > 0;
}

/** Removes the oldest beyond age or number, a batch at a time. @returns how many. */
export async function purgeRejects(
  db: Queryable,
  bounds: { readonly before: Instant; readonly keep: number; readonly limit: number },
): Promise<number> {
  const rows = await db.query(
    `DELETE FROM intake_reject WHERE id IN (
       SELECT id FROM intake_reject WHERE last_at < $1
       UNION ALL (SELECT id FROM intake_reject ORDER BY last_at DESC, id DESC OFFSET $2 LIMIT $3)
       LIMIT $3
     ) RETURNING id`,
    [bounds.before, bounds.keep, bounds.limit],
  );
  return rows.length;
}

/** What came between two times, added up. */
export interface RejectGroup {
  readonly source_kind: string;
  readonly reason: string;
  readonly rejects: number;
  /** The bucket of one of them. */
  readonly bucket: string | null;
  /** What was wrong with one of them. */
  readonly message: string;
}

export const groupRejects = (
  db: Queryable,
  { after, until, limit }: { readonly after: Instant; readonly until: Instant; readonly limit: number },
): Promise<RejectGroup[]> =>
  db.query(
    `SELECT source_kind, reason, count(*)::int AS rejects, max(bucket) AS bucket, max(message) AS message
       FROM intake_reject WHERE last_at > $1 AND last_at <= $2
      GROUP BY source_kind, reason ORDER BY rejects DESC, source_kind, reason LIMIT $3`,
    [after, until, limit],
  );

/** How many came since; counted no further than to `most`. */
export async function countSince(db: Queryable, since: Instant, most: number): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM (SELECT FROM intake_reject WHERE last_at > $1 LIMIT $2) AS r',
    [since, most],
  );
  return row?.count ?? 0;
}
