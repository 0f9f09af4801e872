import type { Queryable } from '../../../../database/queryable.js';

/** Whether any review was ever put into a queue. Served by the index review_queue. */
export async function hasReviews(db: Queryable, queue: string): Promise<boolean> {
  const rows = await db.query('SELECT 1 FROM review WHERE queue = $1 LIMIT 1', [queue]);
  return rows.length > 0;
}
