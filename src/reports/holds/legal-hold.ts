import type { Queryable } from '../../database/queryable.js';

/** What a hold keeps: everything that meets all of what is said. */
export interface HoldScope {
  /** What existed from then on. */
  readonly from?: number | undefined;
  /** What existed before then. */
  readonly to?: number | undefined;
  readonly endpointId?: string | undefined;
  readonly bucket?: string | undefined;
  readonly keyPrefix?: string | undefined;
  readonly reviewId?: string | undefined;
  readonly workflowId?: string | undefined;
}

/** A word that something is needed for a case in court, an inquiry or an audit: nobody's clock removes it. */
export interface LegalHold extends HoldScope {
  readonly id: string;
  readonly reason: string;
  readonly placedBy: string;
  readonly placedByName: string;
  readonly placedAt: number;
  readonly lifted?:
    | { readonly by: string; readonly byName: string; readonly at: number; readonly reason: string }
    | undefined;
}

interface Row {
  readonly id: string;
  readonly reason: string;
  readonly from_at: number | null;
  readonly to_at: number | null;
  readonly endpoint_id: string | null;
  readonly bucket: string | null;
  readonly key_prefix: string | null;
  readonly review_id: string | null;
  readonly workflow_id: string | null;
  readonly placed_by: string;
  readonly placed_by_name: string;
  readonly placed_at: number;
  readonly lifted_by: string | null;
  readonly lifted_by_name: string | null;
  readonly lifted_at: number | null;
  readonly lift_reason: string | null;
}

const COLUMNS = `id, reason, from_at::float8, to_at::float8, endpoint_id, bucket, key_prefix, review_id, workflow_id,
  placed_by, placed_by_name, placed_at::float8, lifted_by, lifted_by_name, lifted_at::float8, lift_reason`;

export const insertHold = (tx: Queryable, hold: LegalHold): Promise<unknown> =>
  tx.query(
    `INSERT INTO legal_hold (id, reason, from_at, to_at, endpoint_id, bucket, key_prefix, review_id, workflow_id,
                             placed_by, placed_by_name, placed_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      hold.id,
      hold.reason,
      hold.from ?? null,
      hold.to ?? null,
      hold.endpointId ?? null,
      hold.bucket ?? null,
      hold.keyPrefix ?? null,
      hold.reviewId ?? null,
      hold.workflowId ?? null,
      hold.placedBy,
      hold.placedByName,
      hold.placedAt,
    ],
  );

export async function findHold(db: Queryable, id: string): Promise<LegalHold | undefined> {
  const [row] = await db.query<Row>(`SELECT ${COLUMNS} FROM legal_hold WHERE id = $1`, [id]);
  return row && toHold(row);
}

/** Those in force, or all; the newest first, after a place in that order. */
export async function listHolds(
  db: Queryable,
  {
    all,
    after,
    limit,
  }: {
    readonly all: boolean;
    readonly after?: { readonly at: number; readonly id: string } | undefined;
    readonly limit: number;
  },
): Promise<LegalHold[]> {
  const rows = await db.query<Row>(
    `SELECT ${COLUMNS} FROM legal_hold
      WHERE ($1 OR lifted_at IS NULL) AND ($2::bigint IS NULL OR (placed_at, id) < ($2, $3::uuid))
      ORDER BY legal_hold.placed_at DESC, legal_hold.id DESC LIMIT $4`,
    [all, after?.at ?? null, after?.id ?? null, limit],
  );
  return rows.map(toHold);
}

/** @returns whether it was in force. */
export async function liftHold(
  tx: Queryable,
  id: string,
  lifted: NonNullable<LegalHold['lifted']>,
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE legal_hold SET lifted_by = $2, lifted_by_name = $3, lifted_at = $4, lift_reason = $5
      WHERE id = $1 AND lifted_at IS NULL RETURNING id`,
    [id, lifted.by, lifted.byName, lifted.at, lifted.reason],
  );
  return rows.length > 0;
}

const AS_UUID = (text: string): string =>
  `CASE WHEN ${text} ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN ${text}::uuid END`;

/*
 * Runs about an object carry its id as theirs of correlation; what asks for an exception or follows a finding has the same
 * id as its row.
 */
const HELD = `
  SELECT w.id FROM workflow w
   WHERE w.id = ANY ($1) AND EXISTS (
     SELECT FROM legal_hold h
      WHERE h.lifted_at IS NULL
        AND (h.from_at IS NULL OR coalesce(w.ended_at, h.from_at) >= h.from_at)
        AND (h.to_at IS NULL OR w.created_at < h.to_at)
        AND (h.workflow_id IS NULL OR h.workflow_id COLLATE "C" = w.id)
        AND (h.review_id IS NULL OR EXISTS (
          SELECT FROM review r WHERE r.id = h.review_id AND r.workflow_id COLLATE "C" = w.id))
        AND (h.bucket IS NULL OR EXISTS (
          SELECT FROM (
            SELECT o.endpoint_id, o.bucket, o.key FROM object_version o WHERE o.id = ${AS_UUID('w.correlation_id')}
            UNION ALL
            SELECT x.endpoint_id, x.bucket, coalesce(x.key, x.key_prefix, '') FROM finding_exception x
             WHERE x.id = ${AS_UUID('w.id')}
            UNION ALL
            SELECT m.endpoint_id, m.bucket, m.key FROM remedy m WHERE m.id = ${AS_UUID('w.id')}
          ) place
           WHERE place.bucket = h.bucket AND (h.endpoint_id IS NULL OR place.endpoint_id = h.endpoint_id)
             AND starts_with(place.key, coalesce(h.key_prefix, '')))))`;

/** Which of these executions are under a hold in force. */
export async function heldWorkflows(db: Queryable, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ id: string }>(HELD, [ids]);
  return new Set(rows.map(({ id }) => id));
}

const toHold = (row: Row): LegalHold => ({
  id: row.id,
  reason: row.reason,
  from: row.from_at ?? undefined,
  to: row.to_at ?? undefined,
  endpointId: row.endpoint_id ?? undefined,
  bucket: row.bucket ?? undefined,
  keyPrefix: row.key_prefix ?? undefined,
  reviewId: row.review_id ?? undefined,
  workflowId: row.workflow_id ?? undefined,
  placedBy: row.placed_by,
  placedByName: row.placed_by_name,
  placedAt: row.placed_at,
  lifted:
    row.lifted_at === null
      ? undefined
      : {
          by: row.lifted_by ?? '',
          byName: row.lifted_by_name ?? '',
          at: row.lifted_at,
          reason: row.lift_reason ?? '',
        },
});
