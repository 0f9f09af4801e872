import type { Instant } from '../../clock.js';
import type { Place } from '../../cursor.js';
import type { Queryable } from '../../database/queryable.js';
import type { Kin } from '../cases/kin.js';
import { WAITING_STATES, type Decision, type Person } from '../rules/review.js';

/** Reviews that ever joined one case; a page, and one request, hold them all. */
export const MAX_CASE_SIZE = 100;

export interface ReviewCase {
  readonly id: string;
  readonly queue: string;
  readonly title: string;
  readonly openedAt: Instant;
  readonly decided?: Pick<Decision, 'outcome' | 'by' | 'at' | 'reason'> | undefined;
  /** Those that belong to it now, and of them those that can still be decided. */
  readonly members: number;
  readonly waiting: number;
}

export interface CaseMember {
  readonly reviewId: string;
  readonly joinedAt: Instant;
  readonly detached?: { readonly by: Person; readonly at: Instant } | undefined;
}

interface CaseRow {
  readonly id: string;
  readonly queue: string;
  readonly title: string;
  readonly opened_at: string;
  readonly decided_at: string | null;
  readonly decided_by: string | null;
  readonly decided_by_name: string | null;
  readonly outcome: string | null;
  readonly decision_reason: string | null;
  readonly members: number;
  readonly waiting: number;
}

const toCase = (row: CaseRow): ReviewCase => ({
  id: row.id,
  queue: row.queue,
  title: row.title,
  openedAt: Number(row.opened_at),
  decided:
    row.outcome === null
      ? undefined
      : {
          outcome: row.outcome,
          by: { id: row.decided_by ?? '', name: row.decided_by_name ?? row.decided_by ?? '' },
          at: Number(row.decided_at),
          reason: row.decision_reason ?? '',
        },
  members: row.members,
  waiting: row.waiting,
});

// The review's own state counts: a version that knows no cases may have ended it.
const WAITS = `EXISTS (SELECT 1 FROM review r WHERE r.id = k.review_id AND r.state IN (${WAITING_STATES.map((state) => `'${state}'`).join(', ')}))`;
const SELECT_CASE = `SELECT c.*,
  (SELECT count(*)::int FROM review_kin k WHERE k.case_id = c.id AND k.detached_at IS NULL) AS members,
  (SELECT count(*)::int FROM review_kin k WHERE k.case_id = c.id AND k.detached_at IS NULL AND ${WAITS}) AS waiting
  FROM review_case c`;

export async function findCase(db: Queryable, id: string): Promise<ReviewCase | undefined> {
  const [row] = await db.query<CaseRow>(`${SELECT_CASE} WHERE c.id = $1`, [id]);
  return row && toCase(row);
}

/** One page, the newest first. `queues`: only these; all when absent. */
export async function listCases(
  db: Queryable,
  filter: {
    readonly state: 'open' | 'decided' | 'all';
    readonly queue: string | undefined;
    readonly queues: readonly string[] | undefined;
    readonly after: Place | undefined;
    readonly limit: number;
  },
): Promise<ReviewCase[]> {
  const values: unknown[] = [];
  const hole = (value: unknown): string => `$${values.push(value)}`;
  const where = ['true'];
  if (filter.state === 'open')
    where.push(
      `c.id IN (SELECT k.case_id FROM review_kin k WHERE k.case_id IS NOT NULL AND k.waits AND k.detached_at IS NULL AND ${WAITS})`,
    );
  if (filter.state === 'decided') where.push('c.decided_at IS NOT NULL');
  if (filter.queue !== undefined) where.push(`c.queue = ${hole(filter.queue)}`);
  if (filter.queues !== undefined) where.push(`c.queue = ANY (${hole(filter.queues)})`);
  if (filter.after !== undefined)
    where.push(`(c.opened_at, c.id) < (${hole(filter.after.at)}, ${hole(filter.after.id)}::uuid)`);
  const rows = await db.query<CaseRow>(
    `${SELECT_CASE} WHERE ${where.join(' AND ')} ORDER BY c.opened_at DESC, c.id DESC LIMIT ${hole(filter.limit)}`,
    values,
  );
  return rows.map(toCase);
}

/** Everything that is or was in it, in the order of joining. */
export async function membersOf(db: Queryable, caseId: string): Promise<CaseMember[]> {
  const rows = await db.query<{
    review_id: string;
    joined_at: string;
    detached_at: string | null;
    detached_by: string | null;
    detached_by_name: string | null;
  }>(
    `SELECT review_id, joined_at, detached_at, detached_by, detached_by_name FROM review_kin
      WHERE case_id = $1 ORDER BY joined_at, review_id LIMIT $2`,
    [caseId, MAX_CASE_SIZE],
  );
  return rows.map((row) => ({
    reviewId: row.review_id,
    joinedAt: Number(row.joined_at),
    detached:
      row.detached_at === null
        ? undefined
        : {
            by: { id: row.detached_by ?? '', name: row.detached_by_name ?? '' },
            at: Number(row.detached_at),
          },
  }));
}

/** Writes by what a review is like others; one that was in a case is in none any more. */
export const setKin = (tx: Queryable, reviewId: string, question: string, kin: Kin): Promise<unknown> =>
  tx.query(
    `INSERT INTO review_kin (review_id, question, findings, bytes) VALUES ($1, $2, $3, $4)
     ON CONFLICT (review_id) DO UPDATE SET findings = excluded.findings, bytes = excluded.bytes,
       case_id = NULL, joined_at = NULL`,
    [reviewId, question, kin.findings ?? null, kin.bytes ?? null],
  );

/** What is known of a review's likeness; undefined for one of an earlier release. */
export async function kinRow(
  tx: Queryable,
  reviewId: string,
): Promise<
  { readonly question: string; readonly caseId: string | null; readonly isDetached: boolean } | undefined
> {
  const [row] = await tx.query<{ question: string; case_id: string | null; is_detached: boolean }>(
    `SELECT question, case_id, detached_at IS NOT NULL AS is_detached FROM review_kin
      WHERE review_id = $1 FOR UPDATE`,
    [reviewId],
  );
  return row && { question: row.question, caseId: row.case_id, isDetached: row.is_detached };
}

/** Whom a review could join: one in an undecided case that has room, else one that is alone. */
export async function findKin(
  tx: Queryable,
  reviewId: string,
  question: string,
  kin: Kin,
): Promise<
  { readonly reviewId: string; readonly caseId: string | null; readonly by: 'findings' | 'bytes' } | undefined
> {
  const [row] = await tx.query<{ review_id: string; case_id: string | null; by_findings: boolean | null }>(
    `SELECT k.review_id, k.case_id, k.findings = $3 AS by_findings
       FROM review_kin k LEFT JOIN review_case c ON c.id = k.case_id
      WHERE (k.findings = $3 OR k.bytes = $4) AND k.question = $2 AND k.review_id <> $1
        AND k.waits AND k.detached_at IS NULL AND ${WAITS}
        AND (k.case_id IS NULL OR (c.decided_at IS NULL AND c.size < $5))
      ORDER BY k.case_id IS NULL, c.opened_at, k.review_id LIMIT 1`,
    [reviewId, question, kin.findings ?? null, kin.bytes ?? null, MAX_CASE_SIZE],
  );
  if (row === undefined) return undefined;
  return {
    reviewId: row.review_id,
    caseId: row.case_id,
    by: row.by_findings === true ? 'findings' : 'bytes',
  };
}

/** Opens a case with one that was alone. @returns false when it is so no longer. */
export async function openCase(
  tx: Queryable,
  made: {
    readonly id: string;
    readonly queue: string;
    readonly title: string;
    readonly at: Instant;
    readonly first: string;
  },
): Promise<boolean> {
  await tx.query(`INSERT INTO review_case (id, queue, title, opened_at, size) VALUES ($1, $2, $3, $4, 1)`, [
    made.id,
    made.queue,
    made.title,
    made.at,
  ]);
  if (await moveIn(tx, made.first, made.id)) return true;
  await tx.query('DELETE FROM review_case WHERE id = $1', [made.id]);
  return false;
}

/** @returns false when the case was decided or filled meanwhile. */
export async function joinCase(
  tx: Queryable,
  caseId: string,
  reviewId: string,
  at: Instant,
): Promise<boolean> {
  const taken = await tx.query(
    'UPDATE review_case SET size = size + 1 WHERE id = $1 AND decided_at IS NULL AND size < $2 RETURNING id',
    [caseId, MAX_CASE_SIZE],
  );
  return taken.length === 1 && (await moveIn(tx, reviewId, caseId, at));
}

/** @param at since when; since it was opened when left out. */
async function moveIn(tx: Queryable, reviewId: string, caseId: string, at?: Instant): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE review_kin SET case_id = $2,
       joined_at = coalesce($3::bigint, (SELECT created_at FROM review WHERE id = $1))
      WHERE review_id = $1 AND case_id IS NULL AND waits AND detached_at IS NULL RETURNING review_id`,
    [reviewId, caseId, at ?? null],
  );
  return rows.length === 1;
}

/** Nothing joins an ended review any more. */
export const endKin = (tx: Queryable, reviewId: string): Promise<unknown> =>
  tx.query('UPDATE review_kin SET waits = false WHERE review_id = $1 AND waits', [reviewId]);

/** @returns false when it is in the case no longer, or over. */
export async function detachKin(
  tx: Queryable,
  caseId: string,
  reviewId: string,
  by: Person,
  at: Instant,
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE review_kin k SET detached_at = $3, detached_by = $4, detached_by_name = $5
      WHERE k.case_id = $1 AND k.review_id = $2 AND k.detached_at IS NULL AND k.waits AND ${WAITS}
      RETURNING k.review_id`,
    [caseId, reviewId, at, by.id, by.name],
  );
  return rows.length === 1;
}

/** Whether a review belongs to the case; so until the transaction ends. */
export async function isMember(tx: Queryable, caseId: string, reviewId: string): Promise<boolean> {
  const rows = await tx.query(
    'SELECT 1 FROM review_kin WHERE review_id = $2 AND case_id = $1 AND detached_at IS NULL FOR SHARE',
    [caseId, reviewId],
  );
  return rows.length === 1;
}

/** Notes the first decision on the case; the later ones stand with their reviews. */
export const decideCase = (
  tx: Queryable,
  caseId: string,
  { outcome, by, at, reason }: Decision,
): Promise<unknown> =>
  tx.query(
    `UPDATE review_case SET decided_at = $2, decided_by = $3, decided_by_name = $4, outcome = $5,
       decision_reason = $6 WHERE id = $1 AND decided_at IS NULL`,
    [caseId, at, by.id, by.name, outcome, reason],
  );
