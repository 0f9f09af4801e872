import type { Queryable } from '../../../database/queryable.js';

const INSERT = `
  INSERT INTO applied_command (workflow_id, command_id, at)
  SELECT workflow_id, command_id, $3 FROM unnest($1::text[], $2::text[]) AS new (workflow_id, command_id)
  ON CONFLICT DO NOTHING RETURNING command_id`;

const FIND = `
  SELECT a.workflow_id, a.command_id
  FROM unnest($1::text[], $2::text[]) AS asked (workflow_id, command_id)
  JOIN applied_command a USING (workflow_id, command_id)`;

/** Which of these commands took effect in an earlier commit: their ids by workflow. */
export async function findAppliedCommands(
  tx: Queryable,
  asked: readonly { workflowId: string; commandId: string }[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const rows = await tx.query<{ workflow_id: string; command_id: string }>(FIND, [
    asked.map(({ workflowId }) => workflowId),
    asked.map(({ commandId }) => commandId),
  ]);
  const found = new Map<string, Set<string>>();
  for (const row of rows) {
    const ids = found.get(row.workflow_id);
    if (ids === undefined) found.set(row.workflow_id, new Set([row.command_id]));
    else ids.add(row.command_id);
  }
  return found;
}

/** Records that these commands took effect. @returns false when one of them already had. */
export async function insertAppliedCommands(
  tx: Queryable,
  rows: readonly { workflowId: string; commandId: string }[],
  now: number,
): Promise<boolean> {
  const inserted = await tx.query(INSERT, [
    rows.map((row) => row.workflowId),
    rows.map((row) => row.commandId),
    now,
  ]);
  return inserted.length === rows.length;
}

const PRUNE = `
  DELETE FROM applied_command WHERE (workflow_id, command_id) IN (
    SELECT workflow_id, command_id FROM applied_command WHERE at < $1 LIMIT $2)
  RETURNING 1`;

/** Forgets up to `limit` commands that nobody will repeat any more. @returns how many. */
export const pruneAppliedCommands = async (db: Queryable, before: number, limit: number): Promise<number> =>
  (await db.query(PRUNE, [before, limit])).length;
