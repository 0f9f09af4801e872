import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import { WAITING_STATES } from '../rules/review.js';

/** What somebody has before them of a review that waits. */
export interface Draft {
  /** Digest of what they were shown last; absent when they saved without looking. */
  readonly digest?: string | undefined;
  /** What they filled in so far. */
  readonly output?: Readonly<Record<string, unknown>> | undefined;
}

export async function findDraft(
  db: Queryable,
  reviewId: string,
  personId: string,
): Promise<Draft | undefined> {
  const [row] = await db.query<{ digest: string | null; output: Record<string, unknown> | null }>(
    'SELECT digest, output FROM review_draft WHERE review_id = $1 AND person_id = $2',
    [reviewId, personId],
  );
  return row && { digest: row.digest ?? undefined, output: row.output ?? undefined };
}

/** Notes what somebody was shown; of a review that has ended nothing is noted. */
export const noteShown = (
  db: Queryable,
  reviewId: string,
  personId: string,
  digest: string,
  at: Instant,
): Promise<unknown> =>
  db.query(
    `INSERT INTO review_draft (review_id, person_id, digest, shown_at)
     SELECT id, $2, $3, $4 FROM review WHERE id = $1 AND state = ANY ($5)
     ON CONFLICT (review_id, person_id) DO UPDATE SET digest = excluded.digest, shown_at = excluded.shown_at`,
    [reviewId, personId, digest, at, WAITING_STATES],
  );

/** Keeps what was filled in. @returns false when the review no longer waits. */
export async function saveDraft(
  tx: Queryable,
  reviewId: string,
  personId: string,
  output: Readonly<Record<string, unknown>>,
  at: Instant,
): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO review_draft (review_id, person_id, output, saved_at)
     SELECT id, $2, $3::json, $4 FROM review WHERE id = $1 AND state = ANY ($5) FOR SHARE
     ON CONFLICT (review_id, person_id) DO UPDATE SET output = excluded.output, saved_at = excluded.saved_at
     RETURNING review_id`,
    [reviewId, personId, JSON.stringify(output), at, WAITING_STATES],
  );
  return rows.length === 1;
}

/** Nobody has anything before them of a review that ended. */
export const dropDrafts = (tx: Queryable, reviewId: string): Promise<unknown> =>
  tx.query('DELETE FROM review_draft WHERE review_id = $1', [reviewId]);
