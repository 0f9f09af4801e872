import type { Queryable } from '../../../database/queryable.js';
import type { newWorkflowParameters } from '../rows.js';

const INSERT = `
  INSERT INTO workflow (id, name, version, status, revision, run_epoch, priority, correlation_id, idempotency_key,
    parent_workflow_id, parent_task_id, depth, created_by, created_at, updated_at, ended_at, last_retried_at,
    task_count, open_task_count, reason, failed_references)
  SELECT id, name, version, status, revision, run_epoch, priority, correlation_id, idempotency_key,
    parent_workflow_id, parent_task_id, depth, created_by, created_at, updated_at, ended_at, last_retried_at,
    task_count, open_task_count, reason, failed_references
  FROM json_to_recordset($1::json) AS new (id text, name text, version int, status text, revision bigint,
    run_epoch int, priority smallint, correlation_id text, idempotency_key text, parent_workflow_id text,
    parent_task_id text, depth smallint, created_by text, created_at bigint, updated_at bigint, ended_at bigint,
    last_retried_at bigint, task_count int, open_task_count int, reason text, failed_references text[])
  ON CONFLICT DO NOTHING
  RETURNING id`;

const INSERT_NEW = `WITH new AS (${INSERT}) SELECT 1 / (count(*) = json_array_length($1::json))::int FROM new`;

/** Inserts workflows that are new. Rejects with {@link NOT_AS_ASSUMED} when one is not. */
export const insertNewWorkflows = (
  tx: Queryable,
  rows: readonly ReturnType<typeof newWorkflowParameters>[],
): Promise<unknown> => tx.query(INSERT_NEW, [JSON.stringify(rows)]);

/** Inserts new workflows. @returns the ids that were new; the others met an older id or idempotency key. */
export async function insertWorkflows(
  tx: Queryable,
  rows: readonly ReturnType<typeof newWorkflowParameters>[],
): Promise<ReadonlySet<string>> {
  const inserted = await tx.query<{ id: string }>(INSERT, [JSON.stringify(rows)]);
  return new Set(inserted.map(({ id }) => id));
}

/** Which older workflows stood in the way of these, by their ids. */
export async function findWinners(
  tx: Queryable,
  losers: readonly { id: string; name: string; idempotency_key: string | undefined }[],
): Promise<Map<string, string>> {
  const rows = await tx.query<{ loser: string; winner: string }>(
    `SELECT new.id AS loser, w.id AS winner
     FROM json_to_recordset($1::json) AS new (id text, name text, idempotency_key text)
     JOIN workflow w ON w.id = new.id OR (w.name = new.name AND w.idempotency_key = new.idempotency_key)`,
    [JSON.stringify(losers)],
  );
  return new Map(rows.map(({ loser, winner }) => [loser, winner]));
}
