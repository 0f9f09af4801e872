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

export const SOON_DUE = `
  SELECT workflow_id FROM workflow_timer WHERE claimed_by IS NULL AND due_at > $1 AND due_at <= $2
  ORDER BY due_at LIMIT $3`;

/** The workflows whose timers come due within a time, the first to come first. */
export const soonDue = async (
  db: Queryable,
  after: number,
  until: number,
  limit: number,
): Promise<readonly string[]> =>
  (await db.query<{ workflow_id: string }>(SOON_DUE, [after, until, limit])).map((row) => row.workflow_id);

export const CLAIMED_TIMERS = 'SELECT workflow_id FROM workflow_timer WHERE claimed_by = $1';

/** What stands under this process's name. */
export const claimedTimers = async (db: Queryable, owner: string): Promise<readonly string[]> =>
  (await db.query<{ workflow_id: string }>(CLAIMED_TIMERS, [owner])).map((row) => row.workflow_id);

export const UNCLAIM_TIMERS =
  'UPDATE workflow_timer SET claimed_by = NULL WHERE claimed_by = $1 AND workflow_id = ANY ($2)';

/** Timers that nobody holds after all. */
export const unclaimTimers = (
  db: Queryable,
  owner: string,
  workflowIds: readonly string[],
): Promise<unknown> => db.query(UNCLAIM_TIMERS, [owner, workflowIds]);
