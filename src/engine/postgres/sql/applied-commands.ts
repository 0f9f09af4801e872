import type { Queryable } from '../../../database/queryable.js';

const INSERT = `
  INSERT INTO applied_command (workflow_id, command_id, at)
  SELECT workflow_id, command_id, $3 FROM unnest($1::text[], $2::text[]) AS new (workflow_id, command_id)
  ON CONFLICT DO NOTHING RETURNING command_id`;

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

/** Forgets what nobody will repeat any more. */
export const pruneAppliedCommands = (db: Queryable, before: number): Promise<unknown> =>
  db.query('DELETE FROM applied_command WHERE at < $1', [before]);
