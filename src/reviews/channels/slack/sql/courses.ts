import type { Queryable } from '../../../../database/queryable.js';
import type { Course } from '../delivery/next-steps.js';

/** What a workflow was last seen to do after a decision. */
export interface StoredCourse {
  /** Grows with each change; 0 where nothing was seen yet. */
  readonly revision: number;
  readonly course?: Course | undefined;
}

export async function findCourse(db: Queryable, reviewId: string): Promise<StoredCourse> {
  const [row] = await db.query<{ revision: number; course: Course }>(
    'SELECT revision, course FROM slack_steps WHERE review_id = $1',
    [reviewId],
  );
  return row ?? { revision: 0 };
}

/** Keeps it over the one that was looked at. @returns whether nobody else did meanwhile. */
export async function keepCourse(
  tx: Queryable,
  reviewId: string,
  course: Course,
  over: number,
): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO slack_steps AS s (review_id, revision, course) VALUES ($1, $3::int + 1, $2::json)
     ON CONFLICT (review_id) DO UPDATE SET revision = excluded.revision, course = excluded.course
     WHERE s.revision = $3::int RETURNING review_id`,
    [reviewId, JSON.stringify(course), over],
  );
  return rows.length === 1;
}
