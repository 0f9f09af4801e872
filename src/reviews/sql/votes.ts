import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { ReviewStanding, Vote } from '../rules/review.js';

/** Keeps a vote on exactly what was shown, as it was then; one per person and round. */
export const insertVote = (
  tx: Queryable,
  { id, round, subjectDigest }: Pick<ReviewStanding, 'id' | 'round' | 'subjectDigest'>,
  vote: Vote,
): Promise<unknown> =>
  tx.query(
    `INSERT INTO review_vote (review_id, round, person_id, person_name, outcome, reason, subject_digest, via, method, at,
                              on_behalf_of, on_behalf_of_name, groups, is_override, form)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15::json)
     ON CONFLICT (review_id, round, person_id) DO UPDATE SET
       outcome = excluded.outcome, reason = excluded.reason, via = excluded.via, method = excluded.method,
       at = excluded.at, on_behalf_of = excluded.on_behalf_of, on_behalf_of_name = excluded.on_behalf_of_name,
       groups = excluded.groups, is_override = excluded.is_override, form = excluded.form, withdrawn_at = NULL
     -- Only one that was taken back may be given again.
     WHERE review_vote.withdrawn_at IS NOT NULL`,
    [
      id,
      round,
      vote.by.id,
      vote.by.name,
      vote.outcome,
      vote.reason,
      subjectDigest,
      vote.via,
      vote.method,
      vote.at,
      vote.onBehalfOf?.id ?? null,
      vote.onBehalfOf?.name ?? null,
      vote.groups,
      vote.isOverride,
      vote.form === undefined ? null : JSON.stringify(vote.form),
    ],
  );

export const withdrawVote = (
  tx: Queryable,
  { id, round }: Pick<ReviewStanding, 'id' | 'round'>,
  personId: string,
  now: Instant,
): Promise<unknown> =>
  tx.query(
    'UPDATE review_vote SET withdrawn_at = $4 WHERE review_id = $1 AND round = $2 AND person_id = $3',
    [id, round, personId, now],
  );
