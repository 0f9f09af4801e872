import type { Queryable } from '../../../database/queryable.js';

const EXACT_UP_TO = 10_000;

/** Both counts walk the index that hands out, from its head, and stop at the bound. */
export const TASKS_AHEAD = `
  SELECT (
    SELECT count(*) FROM (
      SELECT FROM task t WHERE t.task_type = me.task_type AND t.queued AND t.due AND t.priority > me.priority
      LIMIT $2
    ) AS before
  ) AS higher, (
    SELECT count(*) FROM (
      SELECT FROM task t WHERE t.task_type = me.task_type AND t.queued AND t.due AND t.priority = me.priority
        AND (t.fair_tag, t.seq) < (me.fair_tag, me.seq)
      LIMIT $2
    ) AS before
  ) AS alike
  FROM task me WHERE me.id = $1 AND me.queued AND me.due`;

/** Due tasks of its type that are handed out before it, exact to 10,000; undefined when it does not wait. */
export async function tasksAhead(db: Queryable, taskId: string): Promise<number | undefined> {
  const [row] = await db.query<{ higher: number; alike: number }>(TASKS_AHEAD, [taskId, EXACT_UP_TO]);
  return row === undefined ? undefined : Math.min(EXACT_UP_TO, row.higher + row.alike);
}
