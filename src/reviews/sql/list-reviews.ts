import type { Place } from '../../cursor.js';
import type { Queryable } from '../../database/queryable.js';
import { REVIEW_COLUMNS, toReview, type Review, type ReviewRow } from '../review.js';
import type { ReviewState } from '../rules/review.js';

export interface ReviewFilter {
  readonly states?: readonly ReviewState[] | undefined;
  /** Claimed by this person. */
  readonly claimedBy?: string | undefined;
  readonly scanId?: string | undefined;
  readonly workflowId?: string | undefined;
  /** Strictly older than this row. */
  readonly after?: Place | undefined;
  readonly limit: number;
}

/** Reviews, newest first. */
export async function listReviews(db: Queryable, filter: ReviewFilter): Promise<Review[]> {
  const values: unknown[] = [];
  const where: string[] = [];
  const add = (condition: (...holes: string[]) => string, ...given: unknown[]): void => {
    const holes = given.map((value) => `$${values.push(value)}`);
    where.push(condition(...holes));
  };
  if (filter.states !== undefined) add((a) => `state = ANY(${a})`, filter.states);
  if (filter.claimedBy !== undefined) add((a) => `claimed_by = ${a}`, filter.claimedBy);
  if (filter.scanId !== undefined) add((a) => `scan_id = ${a}`, filter.scanId);
  if (filter.workflowId !== undefined) add((a) => `workflow_id = ${a}`, filter.workflowId);
  if (filter.after !== undefined)
    add((a, b) => `(created_at, id) < (${a}, ${b}::uuid)`, filter.after.at, filter.after.id);
  const condition = where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`;
  const rows = await db.query<ReviewRow>(
    `SELECT ${REVIEW_COLUMNS} FROM review ${condition} ORDER BY created_at DESC, id DESC LIMIT $${values.push(filter.limit)}`,
    values,
  );
  return rows.map(toReview);
}
