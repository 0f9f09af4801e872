import type { Queryable } from '../../database/queryable.js';
import { REVIEW_COLUMNS, toReview, type Review, type ReviewRow } from '../review.js';

/** One review by its id or its task's; `undefined` when there is none. */
export async function findReview(
  db: Queryable,
  by: { readonly id: string } | { readonly taskId: string },
): Promise<Review | undefined> {
  const [row] =
    'id' in by
      ? await db.query<ReviewRow>(`SELECT ${REVIEW_COLUMNS} FROM review WHERE id = $1`, [by.id])
      : await db.query<ReviewRow>(`SELECT ${REVIEW_COLUMNS} FROM review WHERE task_id = $1`, [by.taskId]);
  return row && toReview(row);
}

/** Several by their ids, in no order; those that are not there are left out. */
export async function findReviews(db: Queryable, ids: readonly string[]): Promise<Review[]> {
  if (ids.length === 0) return [];
  const rows = await db.query<ReviewRow>(`SELECT ${REVIEW_COLUMNS} FROM review WHERE id = ANY ($1::uuid[])`, [
    ids,
  ]);
  return rows.map(toReview);
}
