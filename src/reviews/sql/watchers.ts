import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { Person } from '../rules/review.js';

/** Of one review; each hears of every change. */
export const MAX_WATCHERS = 100;

/** @returns false when they did already, or no more may. */
export async function addWatcher(
  tx: Queryable,
  reviewId: string,
  { id, name }: Person,
  at: Instant,
): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO review_watcher (review_id, person_id, person_name, since)
     SELECT $1, $2, $3, $4 WHERE (SELECT count(*) FROM review_watcher WHERE review_id = $1) < $5
     ON CONFLICT DO NOTHING RETURNING person_id`,
    [reviewId, id, name, at, MAX_WATCHERS],
  );
  return rows.length === 1;
}

export async function removeWatcher(tx: Queryable, reviewId: string, personId: string): Promise<boolean> {
  const rows = await tx.query(
    'DELETE FROM review_watcher WHERE review_id = $1 AND person_id = $2 RETURNING person_id',
    [reviewId, personId],
  );
  return rows.length === 1;
}

/** In the order in which they began. */
export async function watchersOf(db: Queryable, reviewId: string): Promise<Person[]> {
  const rows = await db.query<{ person_id: string; person_name: string }>(
    `SELECT person_id, person_name FROM review_watcher WHERE review_id = $1 ORDER BY since, person_id LIMIT $2`,
    [reviewId, MAX_WATCHERS],
  );
  return rows.map(({ person_id, person_name }) => ({ id: person_id, name: person_name }));
}
