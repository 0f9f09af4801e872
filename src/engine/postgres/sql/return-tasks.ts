import type { Queryable } from '../../../database/queryable.js';
import type { Task } from '../../model/execution.js';

/*
 * As in claimTasks: task and workflow locked together, nothing waited for. A claim whose COMMIT is still on its way holds
 * the lock, and what it took shows as busy. The poll count tells its lease from every other one of the same task.
 */
const RETURN_TASKS = `
  WITH free AS MATERIALIZED (
    SELECT t.id, t.workflow_id, t.lease_owner IS NULL AND t.status = 'IN_PROGRESS' AND NOT t.queued
      AND t.poll_count = claim.poll_count AS is_held
    FROM unnest($1::text[], $2::int[]) AS claim (id, poll_count)
    JOIN task t ON t.id = claim.id JOIN workflow w ON w.id = t.workflow_id
    FOR NO KEY UPDATE OF t, w SKIP LOCKED
  ), raised AS (
    UPDATE workflow w SET revision = w.revision + 1
    FROM (SELECT DISTINCT workflow_id FROM free WHERE is_held) AS one WHERE w.id = one.workflow_id
    RETURNING w.id, w.revision
  ), returned AS (
    UPDATE task t SET status = CASE WHEN task_type = 'HUMAN' THEN 'IN_PROGRESS' ELSE 'SCHEDULED' END,
      queued = true, due = true, due_at = $3, worker_id = NULL, lease_until = NULL, updated_at = $3,
      changed_rev = raised.revision
    FROM free JOIN raised ON raised.id = free.workflow_id WHERE t.id = free.id AND free.is_held
  )
  SELECT claim.id FROM unnest($1::text[]) AS claim (id) JOIN task t ON t.id = claim.id
  WHERE NOT EXISTS (SELECT 1 FROM free WHERE free.id = claim.id)`;

/** @returns the ids that are locked. */
export async function returnTasks(
  db: Queryable,
  tasks: readonly Pick<Task, 'taskId' | 'pollCount'>[],
  now: number,
): Promise<readonly string[]> {
  const rows = await db.query<{ id: string }>(RETURN_TASKS, [
    tasks.map(({ taskId }) => taskId),
    tasks.map(({ pollCount }) => pollCount),
    now,
  ]);
  return rows.map(({ id }) => id);
}
