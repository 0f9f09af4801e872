import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';

/** Outbox kind of a decision on its way to the engine; the key is the review's id. */
export const ENGINE_COMPLETE = 'engine.complete';

/** Notes whether the engine took the decision; false when that was noted before. */
export async function markCompletion(
  tx: Queryable,
  reviewId: string,
  completion: 'applied' | 'late',
  note: string | null,
  now: Instant,
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE review SET completion = $2, completion_note = $3, updated_at = $4
     WHERE id = $1 AND completion = 'pending' RETURNING id`,
    [reviewId, completion, note, now],
  );
  return rows.length === 1;
}
