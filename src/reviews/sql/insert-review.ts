import type { Queryable } from '../../database/queryable.js';
import { asksOf } from '../rules/eligibility.js';
import { riskOf } from '../rules/risk.js';
import { REVIEW_COLUMNS, toReview, type Review, type ReviewRow } from '../review.js';

/** Opens the review of a task. @returns `undefined` when the task has one already. */
export async function insertReview(tx: Queryable, review: Review): Promise<Review | undefined> {
  const [row] = await tx.query<ReviewRow>(
    `INSERT INTO review (id, task_id, workflow_id, scan_id, title, verdict, reason, outcomes, subject,
                         subject_digest, created_at, updated_at, checked_at, state, queue, policy, excluded, due_at,
                         claimed_by, claimed_by_name, claimed_at, object_id, asks, task_ref, task_def_name,
                         workflow_name, risk)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::json, $10, $11, $11, $11, $12, $13, $14::json, $15::json, $16,
             $17, $18, $19, $20, $21, $22, $23, $24, $25)
     ON CONFLICT (task_id) DO NOTHING RETURNING ${REVIEW_COLUMNS}`,
    [
      review.id,
      review.taskId,
      review.workflowId,
      review.scanId ?? null,
      review.title,
      review.subject.verdict ?? null,
      review.subject.reason ?? null,
      review.outcomes,
      JSON.stringify(review.subject),
      review.subjectDigest,
      review.createdAt,
      review.state,
      review.policy.queue,
      JSON.stringify(review.policy),
      JSON.stringify(review.excluded),
      review.dueAt ?? null,
      review.claim?.by.id ?? null,
      review.claim?.by.name ?? null,
      review.claim?.at ?? null,
      review.subject.object?.objectId ?? null,
      asksOf(review),
      review.taskRef ?? null,
      review.taskDefName ?? null,
      review.workflowName ?? null,
      riskOf(review.subject),
    ],
  );
  return row && toReview(row);
}
