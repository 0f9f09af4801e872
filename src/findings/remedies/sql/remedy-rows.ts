import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';
import type { Proof, Remedy, RemedyState } from '../remedy.js';

const COLUMNS = `id, finding_kind AS "findingKind", rule_id AS "ruleId", fingerprint, finding_title AS "findingTitle",
  scan_id AS "scanId", endpoint_id AS "endpointId", bucket, key, member_path AS "memberPath", sha256, owner, state,
  opened_at::float8 AS "openedAt", due_at::float8 AS "dueAt", due_days AS "dueDays", escalate_to AS "escalateTo", proof,
  proof_note AS "proofNote", remedied_at::float8 AS "remediedAt", remedied_by_name AS "remediedByName", refused,
  returned_at::float8 AS "returnedAt", follows`;

export async function findRemedy(db: Queryable, id: string): Promise<Remedy | undefined> {
  const [row] = await db.query<Remedy>(`SELECT ${COLUMNS} FROM remedy WHERE id = $1`, [id]);
  return row;
}

/** @returns false when it is open already. */
export async function insertRemedy(tx: Queryable, remedy: Remedy): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO remedy (id, finding_kind, rule_id, fingerprint, finding_title, scan_id, endpoint_id, bucket, key,
       member_path, sha256, owner, state, opened_at, due_at, due_days, escalate_to, follows)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'OPEN', $13, $14, $15, $16, $17)
     ON CONFLICT (id) DO NOTHING RETURNING id`,
    [
      remedy.id,
      remedy.findingKind,
      remedy.ruleId,
      remedy.fingerprint,
      remedy.findingTitle,
      remedy.scanId,
      remedy.endpointId,
      remedy.bucket,
      remedy.key,
      remedy.memberPath,
      remedy.sha256,
      remedy.owner,
      remedy.openedAt,
      remedy.dueAt,
      remedy.dueDays,
      remedy.escalateTo,
      remedy.follows,
    ],
  );
  return rows.length === 1;
}

/** @returns undefined when it is open no more. */
export async function markRemedied(
  tx: Queryable,
  args: {
    readonly id: string;
    readonly proof: Proof;
    readonly note: string;
    readonly by: { readonly id: string; readonly name: string };
    readonly reviewId: string;
    readonly now: Instant;
  },
): Promise<Remedy | undefined> {
  const [row] = await tx.query<Remedy>(
    `UPDATE remedy SET state = 'REMEDIED', proof = $2, proof_note = $3, remedied_by = $4, remedied_by_name = $5,
            review_id = $6, remedied_at = $7, refused = NULL
      WHERE id = $1 AND state = 'OPEN' RETURNING ${COLUMNS}`,
    [args.id, args.proof, args.note, args.by.id, args.by.name, args.reviewId, args.now],
  );
  return row;
}

export async function markRefused(tx: Queryable, id: string, why: string): Promise<void> {
  await tx.query(`UPDATE remedy SET refused = $2 WHERE id = $1 AND state = 'OPEN'`, [id, why]);
}

/** Newest first; those after `after`. */
export const listRemedies = (
  db: Queryable,
  filter: { readonly states?: readonly RemedyState[] | undefined; readonly overdueAt?: Instant | undefined },
  page: {
    readonly after?: { readonly at: Instant; readonly id: string } | undefined;
    readonly limit: number;
  },
): Promise<Remedy[]> =>
  db.query<Remedy>(
    `SELECT ${COLUMNS} FROM remedy
      WHERE ($1::text[] IS NULL OR state = ANY ($1)) AND ($2::bigint IS NULL OR (state = 'OPEN' AND due_at <= $2))
        AND ($3::bigint IS NULL OR (opened_at, id) < ($3, $4::uuid))
      ORDER BY remedy.opened_at DESC, remedy.id DESC LIMIT $5`,
    [
      filter.states ?? null,
      filter.overdueAt ?? null,
      page.after?.at ?? null,
      page.after?.id ?? null,
      page.limit,
    ],
  );

/** How long remedies take, of one owner. */
export interface RemedyFigures {
  /** As definitions name them, by comma; empty for those that everybody is asked about. */
  readonly owner: string;
  readonly open: number;
  readonly overdue: number;
  /** Of the period, like all after it. */
  readonly remedied: number;
  readonly returned: number;
  /** From when it was called real. Null where none was remedied. */
  readonly p50Seconds: number | null;
  readonly p90Seconds: number | null;
}

// More owners than groups may be made.
const MAX_OWNERS = 1_000;

/** What is open now, and what was remedied in [from, to). */
export const remedyFigures = (
  db: Queryable,
  { from, to, now }: { readonly from: Instant; readonly to: Instant; readonly now: Instant },
): Promise<RemedyFigures[]> =>
  db.query<RemedyFigures>(
    `WITH r AS (
       SELECT array_to_string(owner, ', ') AS owner, state = 'OPEN' AS is_open, due_at, remedied_at - opened_at AS took,
              remedied_at >= $1 AND remedied_at < $2 AS counts,
              returned_at >= $1 AND returned_at < $2 AS came_back
         FROM remedy
        WHERE state = 'OPEN' OR (remedied_at >= $1 AND remedied_at < $2) OR (returned_at >= $1 AND returned_at < $2))
     SELECT owner, count(*) FILTER (WHERE is_open)::int AS open,
            count(*) FILTER (WHERE is_open AND due_at <= $3)::int AS overdue,
            count(*) FILTER (WHERE counts)::int AS remedied,
            count(*) FILTER (WHERE came_back)::int AS returned,
            (percentile_cont(0.5) WITHIN GROUP (ORDER BY took) FILTER (WHERE counts) / 1000)::float8 AS "p50Seconds",
            (percentile_cont(0.9) WITHIN GROUP (ORDER BY took) FILTER (WHERE counts) / 1000)::float8 AS "p90Seconds"
       FROM r GROUP BY owner ORDER BY owner LIMIT ${MAX_OWNERS}`,
    [from, to, now],
  );
