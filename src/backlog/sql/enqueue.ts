import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { ObjectRef } from '../../verdicts/ledger.js';

export interface NewItem {
  readonly scanId: string;
  readonly objectId: string;
  readonly ref: ObjectRef;
  readonly priority: number;
  readonly workflowName: string;
  readonly workflowId: string;
  readonly source: string;
  readonly at: Instant;
}

/** Puts scans into the backlog, in the transaction that opens them. */
export async function enqueue(tx: Queryable, items: readonly NewItem[]): Promise<void> {
  if (items.length === 0) return;
  const rows = items.map(({ ref: { endpointId, bucket, key, versionId }, ...item }) => ({
    scan_id: item.scanId,
    object_id: item.objectId,
    endpoint_id: endpointId,
    bucket,
    priority: item.priority,
    workflow_name: item.workflowName,
    workflow_id: item.workflowId,
    input: {
      scanId: item.scanId,
      bucket,
      key,
      ...(versionId !== undefined && { versionId }),
      source: item.source,
    },
    at: item.at,
  }));
  await tx.query(
    `INSERT INTO backlog_item (scan_id, object_id, endpoint_id, bucket, priority, workflow_name, workflow_id,
                               input, enqueued_at, not_before)
     SELECT scan_id, object_id, endpoint_id, bucket, priority, workflow_name, workflow_id, input, at, at
       FROM json_to_recordset($1::json) AS i (scan_id uuid, object_id uuid, endpoint_id text, bucket text,
            priority int, workflow_name text, workflow_id text, input json, at bigint)`,
    [JSON.stringify(rows)],
  );
}
