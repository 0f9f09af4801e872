import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';

/** An entry of the baseline as it is kept. */
export interface AcceptedRow {
  readonly fingerprint: string;
  /** Empty for every bucket. */
  readonly bucket: string;
  readonly rule_id: string | null;
  readonly reason: string;
  readonly expires_at: Instant | null;
  readonly created_at: Instant;
  readonly created_by: string;
}

const COLUMNS = `fingerprint, bucket, rule_id, reason, expires_at::float8, created_at::float8, created_by`;

/** Those that may answer for something with one of these fingerprints in this bucket. */
export const findAccepted = (
  db: Queryable,
  args: { readonly fingerprints: readonly string[]; readonly bucket: string; readonly now: Instant },
): Promise<AcceptedRow[]> =>
  db.query<AcceptedRow>(
    `SELECT ${COLUMNS} FROM accepted_fingerprint
      WHERE fingerprint = ANY ($1) AND bucket IN ('', $2) AND (expires_at IS NULL OR expires_at > $3)`,
    [args.fingerprints, args.bucket, args.now],
  );

export interface AcceptedFilter {
  readonly fingerprint?: string | undefined;
  /** What counts in this bucket: named for it, or for all. */
  readonly bucket?: string | undefined;
}

/** By fingerprint, then bucket; those after `after`. */
export const listAccepted = (
  db: Queryable,
  { fingerprint, bucket }: AcceptedFilter,
  page: { readonly after?: Pick<AcceptedRow, 'fingerprint' | 'bucket'> | undefined; readonly limit: number },
): Promise<AcceptedRow[]> =>
  db.query<AcceptedRow>(
    `SELECT ${COLUMNS} FROM accepted_fingerprint
      WHERE ($1::text IS NULL OR fingerprint = $1) AND ($2::text IS NULL OR bucket IN ('', $2))
        AND ($3::text IS NULL OR (fingerprint, bucket) > ($3, $4))
      ORDER BY fingerprint, bucket LIMIT $5`,
    [
      fingerprint ?? null,
      bucket ?? null,
      page.after?.fingerprint ?? null,
      page.after?.bucket ?? '',
      page.limit,
    ],
  );

/** The entries of these places that are there, locked in one order for everybody. */
export const lockAccepted = (
  tx: Queryable,
  places: readonly Pick<AcceptedRow, 'fingerprint' | 'bucket'>[],
): Promise<AcceptedRow[]> =>
  tx.query<AcceptedRow>(
    `SELECT ${COLUMNS} FROM accepted_fingerprint
      WHERE (fingerprint, bucket) IN (SELECT * FROM unnest($1::text[], $2::text[]))
      ORDER BY fingerprint, bucket FOR UPDATE`,
    [places.map(({ fingerprint }) => fingerprint), places.map(({ bucket }) => bucket)],
  );

/** Adds these, each in the place of what was there. */
export async function putAccepted(tx: Queryable, rows: readonly AcceptedRow[]): Promise<void> {
  await tx.query(
    `INSERT INTO accepted_fingerprint (fingerprint, bucket, rule_id, reason, expires_at, created_at, created_by)
     SELECT fingerprint, bucket, rule_id, reason, expires_at, created_at, created_by
       FROM json_to_recordset($1::json) AS a (fingerprint text, bucket text, rule_id text, reason text,
            expires_at bigint, created_at bigint, created_by text)
      ORDER BY fingerprint, bucket
     ON CONFLICT (fingerprint, bucket) DO UPDATE
       SET rule_id = excluded.rule_id, reason = excluded.reason, expires_at = excluded.expires_at,
           created_at = excluded.created_at, created_by = excluded.created_by`,
    [JSON.stringify(rows)],
  );
}

export async function countAccepted(db: Queryable): Promise<number> {
  const [row] = await db.query<{ count: number }>('SELECT count(*)::int AS count FROM accepted_fingerprint');
  return row?.count ?? 0;
}

/** All entries of a fingerprint, or only the one for this bucket. @returns what is gone. */
export const removeAccepted = (
  tx: Queryable,
  fingerprint: string,
  bucket: string | undefined,
): Promise<AcceptedRow[]> =>
  tx.query<AcceptedRow>(
    `WITH gone AS (
       DELETE FROM accepted_fingerprint WHERE fingerprint = $1 AND ($2::text IS NULL OR bucket = $2) RETURNING *)
     SELECT ${COLUMNS} FROM gone ORDER BY bucket`,
    [fingerprint, bucket ?? null],
  );
