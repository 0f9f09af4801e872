import type { Queryable } from '../../../database/queryable.js';
import type { AbandonedInboxRow, InboxRow } from '../../execution-store.js';
import type { Effect } from '../../model/command.js';
import { fromRow, toRow } from '../../payloads/placeholder.js';

export interface InboxParameters {
  readonly kind: Effect['kind'];
  readonly source_workflow_id: string;
  readonly source_task_id: string;
  readonly target_workflow_id: string;
  readonly effect: Effect;
}

const INSERT = `
  INSERT INTO workflow_inbox (kind, source_workflow_id, source_task_id, target_workflow_id, effect, created_at,
    due_at, attempts, claimed_by)
  SELECT kind, source_workflow_id, source_task_id, target_workflow_id, effect, $2, $2, 0, $3
  FROM json_to_recordset($1::json) AS new (kind text, source_workflow_id text, source_task_id text,
    target_workflow_id text, effect json)
  ON CONFLICT DO NOTHING
  RETURNING id, kind, source_workflow_id, source_task_id, target_workflow_id`;

const keyOf = (row: Omit<InboxParameters, 'effect'>): string =>
  JSON.stringify([row.kind, row.source_workflow_id, row.source_task_id, row.target_workflow_id]);

/**
 * Effects on other workflows, in the commit of their source; the same effect again is the same row.
 *
 * @param owner holds the new rows from the beginning; `undefined` leaves them to whoever claims them.
 * @returns the new rows.
 */
export async function insertInbox(
  tx: Queryable,
  rows: readonly InboxParameters[],
  now: number,
  owner: string | undefined,
): Promise<readonly InboxRow[]> {
  const inserted = await tx.query<Omit<InboxParameters, 'effect'> & { id: number }>(INSERT, [
    JSON.stringify(rows.map((row) => ({ ...row, effect: effectToRow(row.effect) }))),
    now,
    owner ?? null,
  ]);
  const effects = new Map(rows.map((row) => [keyOf(row), row.effect]));
  return inserted.flatMap((row) => {
    const effect = effects.get(keyOf(row));
    return effect === undefined
      ? []
      : [{ id: row.id, sourceWorkflowId: row.source_workflow_id, effect, attempts: 0 }];
  });
}

// As they are stored, compressed; so that one claim never fills the memory.
const MAX_CLAIM_BYTES = 4 * 1024 * 1024;

export const CLAIM_INBOX = `
  WITH waiting AS MATERIALIZED (
    SELECT id, pg_column_size(effect) AS bytes FROM workflow_inbox
    WHERE claimed_by IS NULL AND NOT abandoned AND due_at <= $2
    ORDER BY due_at, id LIMIT $3 FOR UPDATE SKIP LOCKED
  ), fitting AS (
    SELECT id, sum(bytes) OVER (ROWS UNBOUNDED PRECEDING) - bytes AS bytes_before FROM waiting
  )
  UPDATE workflow_inbox i SET claimed_by = $1 FROM fitting f WHERE i.id = f.id AND f.bytes_before < ${MAX_CLAIM_BYTES}
  RETURNING i.id, i.source_workflow_id AS "sourceWorkflowId", i.effect, i.attempts`;

/** Due rows, each to one node; they stay until the target's commit removes them. */
export async function claimInbox(
  db: Queryable,
  owner: string,
  now: number,
  limit: number,
): Promise<readonly InboxRow[]> {
  const rows = await db.query<InboxRow>(CLAIM_INBOX, [owner, now, limit]);
  return rows.toSorted((a, b) => a.id - b.id).map((row) => ({ ...row, effect: effectFromRow(row.effect) }));
}

/** A value of an effect may be kept elsewhere, as a row's. */
function effectFromRow(effect: Effect): Effect {
  if (effect.kind === 'startWorkflow') return { ...effect, input: fromRow(effect.input) };
  return effect.kind === 'childEnded' ? { ...effect, output: fromRow(effect.output) } : effect;
}

function effectToRow(effect: Effect): unknown {
  if (effect.kind === 'startWorkflow') return { ...effect, input: toRow(effect.input) };
  return effect.kind === 'childEnded' ? { ...effect, output: toRow(effect.output) } : effect;
}

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

export const CLAIMED_INBOX = 'SELECT id FROM workflow_inbox WHERE claimed_by = $1';

/** What stands under this process's name. */
export const claimedInbox = async (db: Queryable, owner: string): Promise<readonly number[]> =>
  (await db.query<{ id: number }>(CLAIMED_INBOX, [owner])).map(({ id }) => id);

export const UNCLAIM_INBOX =
  'UPDATE workflow_inbox SET claimed_by = NULL WHERE claimed_by = $1 AND id = ANY ($2)';

/** Rows that nobody holds after all. */
export const unclaimInbox = (db: Queryable, owner: string, ids: readonly number[]): Promise<unknown> =>
  db.query(UNCLAIM_INBOX, [owner, ids]);

export const START_PENDING = `
  SELECT 1 FROM workflow_inbox WHERE source_workflow_id = $1 AND source_task_id = $2 AND kind = 'startWorkflow'
    AND target_workflow_id = $3 AND NOT abandoned`;

/** Whether a child has yet to be started. */
export const isStartPending = async (
  db: Queryable,
  parentWorkflowId: string,
  taskId: string,
  childWorkflowId: string,
): Promise<boolean> =>
  (await db.query(START_PENDING, [parentWorkflowId, taskId, childWorkflowId])).length > 0;

export const ABANDONED_INBOX = `
  SELECT id, kind, source_workflow_id AS "sourceWorkflowId", target_workflow_id AS "targetWorkflowId",
    created_at AS "createdAt", attempts, problem
  FROM workflow_inbox WHERE abandoned ORDER BY id LIMIT $1`;

/** Rows that were given up, oldest first. */
export const abandonedInbox = (db: Queryable, limit: number): Promise<readonly AbandonedInboxRow[]> =>
  db.query<AbandonedInboxRow>(ABANDONED_INBOX, [limit]);
