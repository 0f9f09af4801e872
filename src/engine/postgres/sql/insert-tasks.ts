import type { Queryable } from '../../../database/queryable.js';
import type { newTaskParameters } from '../rows.js';

const COLUMNS = `id, changed_rev, status, iteration, sub_workflow_id, retried, executed, poll_count, worker_id, started_at, updated_at, ended_at,
    callback_after_seconds, reason, queued, due_at, workflow_id, seq, ref, task_type, task_def_name, retry_count,
    retried_task_id, scheduled_at, first_scheduled_at, due, priority, fair_tag, lease_owner, lease_until,
    response_timeout_ms, execution_timeout_ms, input, output, step`;

const STATEMENT = `
  INSERT INTO task (${COLUMNS})
  SELECT ${COLUMNS} FROM json_to_recordset($1::json) AS new (id text, changed_rev bigint, status text,
    iteration int, sub_workflow_id text, retried boolean, executed boolean, poll_count int, worker_id text, started_at bigint, updated_at bigint,
    ended_at bigint, callback_after_seconds double precision, reason text, queued boolean, due_at bigint,
    workflow_id text, seq int, ref text, task_type text, task_def_name text, retry_count int, retried_task_id text,
    scheduled_at bigint, first_scheduled_at bigint, due boolean, priority smallint, fair_tag bigint,
    lease_owner text, lease_until bigint, response_timeout_ms bigint, execution_timeout_ms bigint, input json,
    output json, step json)`;

/** New tasks, some of them already held by this process. */
export const insertTasks = (
  tx: Queryable,
  rows: readonly ReturnType<typeof newTaskParameters>[],
): Promise<unknown> => tx.query(STATEMENT, [JSON.stringify(rows)]);
