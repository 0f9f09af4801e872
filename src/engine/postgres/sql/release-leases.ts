import type { Queryable } from '../../../database/queryable.js';

// As in claimTasks: task and workflow locked together, nothing waited for.
const RELEASE_TASKS = `
  WITH held AS MATERIALIZED (
    SELECT t.id, t.workflow_id FROM task t JOIN workflow w ON w.id = t.workflow_id
    WHERE t.lease_owner = ANY ($1) AND t.status IN ('SCHEDULED', 'IN_PROGRESS')
      AND ($3::text[] IS NULL OR t.id = ANY ($3))
    ORDER BY t.id LIMIT 1000 FOR NO KEY UPDATE OF t, w SKIP LOCKED
  ), raised AS (
    UPDATE workflow w SET revision = w.revision + 1
    FROM (SELECT DISTINCT workflow_id FROM held) AS one WHERE w.id = one.workflow_id
    RETURNING w.id, w.revision
  )
  UPDATE task t SET status = CASE WHEN task_type = 'HUMAN' THEN 'IN_PROGRESS' ELSE 'SCHEDULED' END,
    queued = true, due = true, due_at = $2, worker_id = NULL, lease_owner = NULL, lease_until = NULL,
    updated_at = $2, changed_rev = raised.revision
  FROM held JOIN raised ON raised.id = held.workflow_id WHERE t.id = held.id
  RETURNING t.task_type`;

const STILL_HELD = `
  SELECT 1 FROM task WHERE lease_owner = ANY ($1) AND status IN ('SCHEDULED', 'IN_PROGRESS')
    AND ($2::text[] IS NULL OR id = ANY ($2)) LIMIT 1`;

/** Hands tasks of these process runs back, due at once, without consuming a retry. */
export async function releaseLeases(
  db: Queryable,
  owners: readonly string[],
  now: number,
  tasks: readonly string[] | undefined,
): Promise<{ types: readonly string[]; busy: boolean }> {
  const only = tasks ?? null;
  const released = await db.query<{ task_type: string }>(RELEASE_TASKS, [owners, now, only]);
  const held = await db.query(STILL_HELD, [owners, only]);
  return { types: [...new Set(released.map((row) => row.task_type))], busy: held.length > 0 };
}

/** Timers and inbox rows that these process runs had claimed are due again. */
export async function releaseClaims(db: Queryable, owners: readonly string[]): Promise<void> {
  await db.query('UPDATE workflow_timer SET claimed_by = NULL WHERE claimed_by = ANY ($1)', [owners]);
  await db.query('UPDATE workflow_inbox SET claimed_by = NULL WHERE claimed_by = ANY ($1)', [owners]);
}
