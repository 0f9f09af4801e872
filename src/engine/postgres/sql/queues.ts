import type { Queryable } from '../../../database/queryable.js';
import type { PollRecord, TaskLogLine } from '../../execution-store.js';

/** Only the two partial indexes know what is queued: asked for together they would be passed over for the whole table. */
export const QUEUE_SIZES = `
  SELECT task_type, count(*) AS n FROM (
    SELECT task_type FROM task WHERE queued AND due
    UNION ALL
    SELECT task_type FROM task WHERE queued AND NOT due
  ) AS waiting
  WHERE $1::text[] IS NULL OR task_type = ANY ($1) GROUP BY task_type ORDER BY task_type`;

/** Tasks that wait to be handed out, per type; zero for asked types without any. */
export async function queueSizes(
  db: Queryable,
  taskTypes: readonly string[] | undefined,
): Promise<ReadonlyMap<string, number>> {
  const rows = await db.query<{ task_type: string; n: number }>(QUEUE_SIZES, [taskTypes ?? null]);
  const sizes = new Map((taskTypes ?? []).map((type) => [type, 0]));
  for (const { task_type, n } of rows) sizes.set(task_type, n);
  return sizes;
}

/** The lowest fair tag among the due tasks of each type that has any. */
export async function fairTags(
  db: Queryable,
  taskTypes: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await db.query<{ name: string; tag: number }>(
    `SELECT name, first.fair_tag AS tag FROM unnest($1::text[]) AS type (name), LATERAL (
       SELECT fair_tag FROM task WHERE task_type = name AND queued AND due
       ORDER BY priority DESC, fair_tag, seq LIMIT 1
     ) AS first`,
    [taskTypes],
  );
  return new Map(rows.map(({ name, tag }) => [name, tag]));
}

/** Adds lines to tasks' logs. */
export const appendLogs = (db: Queryable, lines: readonly TaskLogLine[]): Promise<unknown> =>
  db.query(
    `INSERT INTO task_log (task_id, created_at, line)
     SELECT "taskId", "createdTime", log
     FROM json_to_recordset($1::json) AS new ("taskId" text, "createdTime" bigint, log text)`,
    [JSON.stringify(lines)],
  );

/** The first 1,000 lines of one task. */
export const listLogs = (db: Queryable, taskId: string): Promise<readonly TaskLogLine[]> =>
  db.query<TaskLogLine>(
    `SELECT task_id AS "taskId", created_at AS "createdTime", line AS log FROM task_log
     WHERE task_id = $1 ORDER BY id LIMIT 1000`,
    [taskId],
  );

/** Remembers who asked for work when; at most one row per worker, queue and domain in one call. */
export const recordPolls = (db: Queryable, polls: readonly PollRecord[]): Promise<unknown> =>
  db.query(
    `INSERT INTO poll_data (queue_name, worker_id, domain, last_poll_at)
     SELECT "queueName", "workerId", domain, "lastPollTime" FROM json_to_recordset($1::json)
       AS new ("queueName" text, "workerId" text, domain text, "lastPollTime" bigint)
     ON CONFLICT (queue_name, domain, worker_id) DO UPDATE SET last_poll_at = excluded.last_poll_at`,
    [JSON.stringify(polls)],
  );

/** Who asked for work, most recent first, at most 1,000. */
export const listPolls = (db: Queryable, taskType: string | undefined): Promise<readonly PollRecord[]> =>
  db.query<PollRecord>(
    `SELECT queue_name AS "queueName", worker_id AS "workerId", domain, last_poll_at AS "lastPollTime"
     FROM poll_data WHERE $1::text IS NULL OR queue_name = $1 ORDER BY last_poll_at DESC LIMIT 1000`,
    [taskType ?? null],
  );
