import type { Queryable } from '../../../database/queryable.js';
import type { changedWorkflowParameters } from '../rows.js';

const STATEMENT = `
  UPDATE workflow w SET status = new.status, revision = new.revision, run_epoch = new.run_epoch,
    updated_at = new.updated_at, ended_at = new.ended_at, last_retried_at = new.last_retried_at,
    task_count = new.task_count, open_task_count = new.open_task_count, reason = new.reason,
    failed_references = new.failed_references
  FROM json_to_recordset($1::json) AS new (id text, status text, revision bigint, run_epoch int, updated_at bigint,
    ended_at bigint, last_retried_at bigint, task_count int, open_task_count int, reason text,
    failed_references text[])
  WHERE w.id = new.id`;

/** Writes the narrow rows of workflows that this transaction has locked. */
export const updateWorkflows = (
  tx: Queryable,
  rows: readonly ReturnType<typeof changedWorkflowParameters>[],
): Promise<unknown> => tx.query(STATEMENT, [JSON.stringify(rows)]);
