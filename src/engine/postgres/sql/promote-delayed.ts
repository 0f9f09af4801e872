import type { Queryable } from '../../../database/queryable.js';

export const PROMOTE_DELAYED = `
  WITH ripe AS (
    SELECT id FROM task WHERE queued AND NOT due AND due_at <= $1
    ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
  )
  UPDATE task SET due = true FROM ripe WHERE task.id = ripe.id
  RETURNING task.task_type`;

/** Makes delayed tasks whose time has come claimable. @returns their types. */
export async function promoteDelayed(db: Queryable, now: number, limit: number): Promise<readonly string[]> {
  const rows = await db.query<{ task_type: string }>(PROMOTE_DELAYED, [now, limit]);
  return [...new Set(rows.map((row) => row.task_type))];
}
