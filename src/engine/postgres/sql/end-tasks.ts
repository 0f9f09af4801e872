import type { Queryable } from '../../../database/queryable.js';
import type { endedTaskParameters } from '../rows.js';

const STATEMENT = `
  UPDATE task t SET changed_rev = new.rev, status = new.status, executed = new.executed, updated_at = new.at,
    ended_at = new.ended, output = coalesce(new.output, t.output), lease_owner = NULL, lease_until = NULL
  FROM json_to_recordset($1::json) AS new (id text, rev bigint, status text, executed boolean, at bigint,
    ended bigint, output json)
  WHERE t.id = new.id`;

/** Attempts that ended, of workflows that this transaction has locked. */
export const endTasks = (
  tx: Queryable,
  rows: readonly ReturnType<typeof endedTaskParameters>[],
): Promise<unknown> => tx.query(STATEMENT, [JSON.stringify(rows)]);
