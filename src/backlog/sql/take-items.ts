import type { Queryable } from '../../database/queryable.js';
import type { JsonObject } from '../../engine/model/json.js';
import type { LaneRow } from './queue-lanes.js';

/** All that starting a scan needs. */
export interface BacklogRow extends LaneRow {
  readonly scan_id: string;
  readonly object_id: string;
  readonly priority: number;
  readonly workflow_name: string;
  readonly workflow_version: number | null;
  readonly workflow_id: string;
  readonly input: JsonObject;
  readonly attempts: number;
}

/**
 * Locks these items to the end of the transaction, so that none is cancelled while it is started. Those that are gone, or
 * that somebody is changing now, are left out.
 */
export const takeItems = (tx: Queryable, scanIds: readonly string[]): Promise<BacklogRow[]> =>
  tx.query<BacklogRow>(
    `SELECT scan_id, object_id, endpoint_id, bucket, source_class, priority, workflow_name, workflow_version,
            workflow_id, input, attempts
       FROM backlog_item WHERE scan_id = ANY ($1) AND NOT postponed AND decide_at IS NULL
        FOR UPDATE SKIP LOCKED`,
    [scanIds],
  );
