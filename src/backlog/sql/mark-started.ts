import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';

/** The workflow runs: its item leaves the backlog, and the scan and its object remember the workflow. */
export const markStarted = (
  db: Queryable,
  args: { readonly scanId: string; readonly workflowId: string; readonly at: Instant },
): Promise<unknown> =>
  db.query(
    // The object's row before the scan's, as the ledger locks them: this may run beside the scan's own verdict.
    `WITH item AS (DELETE FROM backlog_item WHERE scan_id = $1),
          object AS (
            SELECT o.id FROM object_version o JOIN scan s ON s.object_id = o.id WHERE s.id = $1
               FOR NO KEY UPDATE OF o),
          started AS (
            UPDATE scan s SET started_at = coalesce(s.started_at, $3), workflow_id = $2
              FROM object WHERE s.id = $1 AND s.object_id = object.id RETURNING s.object_id, s.generation)
     UPDATE object_version o SET workflow_id = $2
       FROM started WHERE o.id = started.object_id AND o.generation = started.generation`,
    [args.scanId, args.workflowId, args.at],
  );

/** A start that failed is tried again later, and says why. */
export const postpone = (
  db: Queryable,
  args: { readonly scanId: string; readonly notBefore: Instant; readonly error: string },
): Promise<unknown> =>
  db.query(
    'UPDATE backlog_item SET attempts = attempts + 1, not_before = $2, last_error = $3 WHERE scan_id = $1',
    [args.scanId, args.notBefore, args.error],
  );
