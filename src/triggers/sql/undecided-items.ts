import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { JsonObject } from '../../engine/model/json.js';

export interface UndecidedRow {
  readonly scan_id: string;
  readonly workflow_id: string;
  readonly enqueued_at: Instant;
  /** As `asUndecided` made it. */
  readonly upload: JsonObject;
  /** Of the workflow, as it would be without an answer. */
  readonly input: JsonObject;
}

/**
 * Takes items that wait for an answer of their objects, the longest waiting first; other nodes pass over what we hold,
 * and look at it again when our lease runs out.
 */
export const claimUndecided = (
  db: Queryable,
  args: { readonly now: Instant; readonly leaseUntil: Instant; readonly limit: number },
): Promise<UndecidedRow[]> =>
  db.query<UndecidedRow>(
    `WITH turn AS (
       SELECT scan_id FROM backlog_item WHERE decide_at <= $1
        ORDER BY decide_at LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED)
     UPDATE backlog_item b SET decide_at = $2 FROM turn WHERE b.scan_id = turn.scan_id
     RETURNING b.scan_id, b.workflow_id, b.enqueued_at::float8, b.upload, b.input`,
    [args.now, args.leaseUntil, args.limit],
  );

export interface DecidedItem {
  readonly scanId: string;
  readonly rule: string;
  readonly workflowName: string;
  readonly workflowVersion: number | undefined;
  readonly priority: number;
  readonly input: JsonObject;
  readonly now: Instant;
}

/** It may start now, by the rule that was found; nothing when it has started already. */
export const storeDecision = (db: Queryable, item: DecidedItem): Promise<unknown> =>
  db.query(
    `WITH item AS (
       UPDATE backlog_item SET workflow_name = $3, workflow_version = $4, priority = $5, input = $6,
              decide_at = NULL, upload = NULL, not_before = $7, last_error = NULL
        WHERE scan_id = $1 AND decide_at IS NOT NULL RETURNING scan_id)
     UPDATE scan SET rule = $2, workflow_name = $3 FROM item WHERE scan.id = item.scan_id`,
    [
      item.scanId,
      item.rule,
      item.workflowName,
      item.workflowVersion ?? null,
      item.priority,
      JSON.stringify(item.input),
      item.now,
    ],
  );

/** The object did not answer: asked again at `decideAt`, and until then it is shown why. */
export const postponeDecision = (
  db: Queryable,
  args: { readonly scanId: string; readonly decideAt: Instant; readonly error: string },
): Promise<unknown> =>
  db.query(
    `UPDATE backlog_item SET decide_at = $2, last_error = $3 WHERE scan_id = $1 AND decide_at IS NOT NULL`,
    [args.scanId, args.decideAt, args.error],
  );

/** A denied one leaves the backlog; nothing when it has started already. */
export const removeDenied = (db: Queryable, scanId: string): Promise<unknown> =>
  db.query('DELETE FROM backlog_item WHERE scan_id = $1 AND decide_at IS NOT NULL', [scanId]);
