import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import { REVIEW_COLUMNS, toReview, type Review, type ReviewRow } from '../review.js';
import { asksOf } from '../rules/eligibility.js';
import type { ReviewStanding } from '../rules/review.js';

/**
 * The one statement that changes a review's state. It writes only if the review is still as it was looked at, so of
 * two at the same time exactly one wins. @returns `undefined` for the other.
 */
export async function advanceReview(
  tx: Queryable,
  from: ReviewStanding,
  next: ReviewStanding,
  now: Instant,
): Promise<Review | undefined> {
  const { claim, decision, cancelled, owner } = next;
  const [row] = await tx.query<ReviewRow>(
    `UPDATE review SET state = $4, version = $5, updated_at = $6,
       claimed_by = $7, claimed_by_name = $8, claimed_at = $9,
       outcome = $10, decided_by = $11, decided_by_name = $12, decided_at = $13, decided_via = $14,
       decided_method = $15, decision_reason = $16, cancelled_at = $17, cancel_reason = $18,
       round = $19, subject_digest = $20, excluded = $21::json, escalated = $22, due_at = $23, hold = $24::json,
       info = $25::json, owner_id = $26, owner_name = $27, asks = $28,
       completion = CASE WHEN $10::text IS NULL THEN NULL ELSE 'pending' END,
       taken_at = coalesce(taken_at, CASE WHEN $29 THEN $6::bigint END)
     WHERE id = $1 AND version = $2 AND state = $3
     RETURNING ${REVIEW_COLUMNS}`,
    [
      from.id,
      from.version,
      from.state,
      next.state,
      next.version,
      now,
      claim?.by.id ?? null,
      claim?.by.name ?? null,
      claim?.at ?? null,
      decision?.outcome ?? null,
      decision?.by.id ?? null,
      decision?.by.name ?? null,
      decision?.at ?? null,
      decision?.via ?? null,
      decision?.method ?? null,
      decision?.reason ?? null,
      cancelled?.at ?? null,
      cancelled?.reason ?? null,
      next.round,
      next.subjectDigest,
      JSON.stringify(next.excluded),
      next.escalated,
      next.dueAt ?? null,
      jsonOrNull(next.hold),
      jsonOrNull(next.info),
      owner?.id ?? null,
      owner?.name ?? null,
      asksOf(next),
      isTakenUp(from, next),
    ],
  );
  // The new vote is written after this.
  return row && { ...toReview(row), votes: next.votes };
}

/** Somebody is on it from now on: claimed it, or said what they think. */
const isTakenUp = (from: ReviewStanding, next: ReviewStanding): boolean =>
  next.state === 'CLAIMED' || next.state === 'COMPLETED' || next.votes.length > from.votes.length;

const jsonOrNull = (value: object | undefined): string | null =>
  value === undefined ? null : JSON.stringify(value);
