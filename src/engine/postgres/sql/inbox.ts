import type { Queryable } from '../../../database/queryable.js';
import type { InboxRow } from '../../execution-store.js';
import type { Effect } from '../../model/command.js';

export interface InboxParameters {
  readonly kind: string;
  readonly source_workflow_id: string;
  readonly source_task_id: string;
  readonly target_workflow_id: string;
  readonly effect: Effect;
}

const INSERT = `
  INSERT INTO workflow_inbox (kind, source_workflow_id, source_task_id, target_workflow_id, effect, created_at,
    due_at, attempts)
  SELECT kind, source_workflow_id, source_task_id, target_workflow_id, effect, $2, $2, 0
  FROM json_to_recordset($1::json) AS new (kind text, source_workflow_id text, source_task_id text,
    target_workflow_id text, effect json)
  ON CONFLICT DO NOTHING`;

/** Effects on other workflows, in the commit of their source; the same effect again is the same row. */
export const insertInbox = (tx: Queryable, rows: readonly InboxParameters[], now: number): Promise<unknown> =>
  tx.query(INSERT, [JSON.stringify(rows), now]);

export const CLAIM_INBOX = `
  WITH waiting AS (
    SELECT id FROM workflow_inbox WHERE claimed_by IS NULL AND NOT abandoned AND due_at <= $2
    ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
  )
  UPDATE workflow_inbox i SET claimed_by = $1 FROM waiting WHERE i.id = waiting.id
  RETURNING i.id, i.source_workflow_id AS "sourceWorkflowId", i.effect, i.attempts`;

/** Due rows, each to one node; they stay until the target's commit removes them. */
export const claimInbox = (
  db: Queryable,
  owner: string,
  now: number,
  limit: number,
): Promise<readonly InboxRow[]> => db.query<InboxRow>(CLAIM_INBOX, [owner, now, limit]);

/** Rows that a transition of their target consumed. */
export const deleteInbox = (tx: Queryable, ids: readonly number[]): Promise<unknown> =>
  tx.query('DELETE FROM workflow_inbox WHERE id = ANY ($1)', [ids]);

/** A row that could not be consumed: due again at `retryAt`, or given up. */
export const returnInbox = (
  db: Queryable,
  id: number,
  problem: string,
  retryAt: number | undefined,
): Promise<unknown> =>
  db.query(
    `UPDATE workflow_inbox SET claimed_by = NULL, attempts = attempts + 1, problem = $2,
       due_at = coalesce($3, due_at), abandoned = $3::bigint IS NULL
     WHERE id = $1`,
    [id, problem, retryAt ?? null],
  );
