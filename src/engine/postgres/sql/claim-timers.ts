import type { Queryable } from '../../../database/queryable.js';

export const CLAIM_TIMERS = `
  WITH due AS (
    SELECT workflow_id FROM workflow_timer WHERE claimed_by IS NULL AND due_at <= $2
    ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
  )
  UPDATE workflow_timer timer SET claimed_by = $1 FROM due WHERE timer.workflow_id = due.workflow_id
  RETURNING timer.workflow_id`;

/** Due timers, each to one node. The rows stay until the wake's own commit, so a crash in between loses nothing. */
export async function claimTimers(
  db: Queryable,
  owner: string,
  now: number,
  limit: number,
): Promise<readonly string[]> {
  const rows = await db.query<{ workflow_id: string }>(CLAIM_TIMERS, [owner, now, limit]);
  return rows.map((row) => row.workflow_id);
}
