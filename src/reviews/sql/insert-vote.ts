import type { Queryable } from '../../database/queryable.js';
import type { Review } from '../review.js';
import type { Decision } from '../rules/review.js';

/** Keeps a decision as a vote on exactly what was shown; one per person. */
export const insertVote = (tx: Queryable, review: Review, decision: Decision): Promise<unknown> =>
  tx.query(
    `INSERT INTO review_vote (review_id, person_id, outcome, reason, subject_digest, via, method, at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      review.id,
      decision.by.id,
      decision.outcome,
      decision.reason,
      review.subjectDigest,
      decision.via,
      decision.method,
      decision.at,
    ],
  );
