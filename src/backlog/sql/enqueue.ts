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

/** Puts a scan into the backlog, in the transaction that opens it. */
export async function enqueue(tx: Queryable, item: NewItem): Promise<void> {
  const { bucket, key, versionId } = item.ref;
  const input = {
    scanId: item.scanId,
    bucket,
    key,
    ...(versionId !== undefined && { versionId }),
    source: item.source,
  };
  await tx.query(
    `INSERT INTO backlog_item (scan_id, object_id, endpoint_id, bucket, priority, workflow_name, workflow_id,
                               input, enqueued_at, not_before)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`,
    [
      item.scanId,
      item.objectId,
      item.ref.endpointId,
      bucket,
      item.priority,
      item.workflowName,
      item.workflowId,
      JSON.stringify(input),
      item.at,
    ],
  );
}
