import type { Queryable } from '../../../database/queryable.js';
import type { advancedParameters } from '../rows.js';

const STATEMENT = `
  UPDATE workflow w SET revision = new.rev, updated_at = new.at, task_count = new.tasks, open_task_count = new.open
  FROM json_to_recordset($1::json) AS new (id text, rev bigint, at bigint, tasks int, open int)
  WHERE w.id = new.id`;

/** Workflows that this transaction has locked and that go on. */
export const advanceWorkflows = (
  tx: Queryable,
  rows: readonly ReturnType<typeof advancedParameters>[],
): Promise<unknown> => tx.query(STATEMENT, [JSON.stringify(rows)]);
