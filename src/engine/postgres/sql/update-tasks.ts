import type { Queryable } from '../../../database/queryable.js';
import type { changedTaskParameters } from '../rows.js';
import { boundedTimeout } from './claim-tasks.js';

// A lease that is kept ends a response time-out after the last sign of life, which this change may be.
const STATEMENT = `
  UPDATE task t SET changed_rev = new.changed_rev, status = new.status,
    iteration = new.iteration, sub_workflow_id = new.sub_workflow_id, retried = new.retried,
    executed = new.executed, poll_count = new.poll_count, worker_id = new.worker_id, started_at = new.started_at,
    updated_at = new.updated_at, ended_at = new.ended_at, callback_after_seconds = new.callback_after_seconds,
    reason = new.reason, queued = new.queued, due_at = new.due_at, due = new.due,
    fair_tag = coalesce(new.fair_tag, t.fair_tag),
    lease_owner = CASE WHEN new.keep_lease THEN t.lease_owner ELSE new.lease_owner END,
    lease_until = CASE WHEN NOT new.keep_lease THEN new.lease_until
      WHEN t.lease_until IS NOT NULL AND t.response_timeout_ms > 0
        THEN new.updated_at + ${boundedTimeout('t.response_timeout_ms')}
      ELSE t.lease_until END,
    input = coalesce(new.input, t.input), output = coalesce(new.output, t.output)
  FROM json_to_recordset($1::json) AS new (id text, changed_rev bigint, status text, iteration int,
    sub_workflow_id text, retried boolean,
    executed boolean, poll_count int, worker_id text, started_at bigint, updated_at bigint, ended_at bigint,
    callback_after_seconds double precision, reason text, queued boolean, due_at bigint, due boolean,
    fair_tag bigint, keep_lease boolean, lease_owner text, lease_until bigint, input json, output json)
  WHERE t.id = new.id`;

/** Changed tasks of workflows that this transaction has locked. */
export const updateTasks = (
  tx: Queryable,
  rows: readonly ReturnType<typeof changedTaskParameters>[],
): Promise<unknown> => tx.query(STATEMENT, [JSON.stringify(rows)]);
