import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { JsonObject } from '../../engine/model/json.js';
import type { ObjectRef } from '../../verdicts/ledger.js';
import { sourceClassOf } from '../source-class.js';

export interface NewItem {
  readonly scanId: string;
  readonly objectId: string;
  readonly ref: ObjectRef;
  readonly priority: number;
  readonly workflowName: string;
  /** The newest when it starts, if absent. */
  readonly workflowVersion?: number | undefined;
  readonly workflowId: string;
  /** What told of it; see `sourceClassOf`. */
  readonly source: string;
  /** What the rule adds to the workflow's input. */
  readonly extraInput?: JsonObject | undefined;
  /** The rules must ask the object before it may start: what they were asked about. */
  readonly undecided?: JsonObject | undefined;
  /** What it will have in flight, where that is known. */
  readonly sizeBytes?: number | undefined;
  readonly at: Instant;
}

/** Long enough for a bucket that is away for a moment; then it is started as the rules decide in doubt. */
export const DECIDE_WITHIN_MS = 900_000;

/** Puts scans into the backlog, in the transaction that opens them. */
export async function enqueue(tx: Queryable, items: readonly NewItem[]): Promise<void> {
  if (items.length === 0) return;
  const rows = items.map(({ ref: { endpointId, bucket, key, versionId }, ...item }) => ({
    scan_id: item.scanId,
    object_id: item.objectId,
    endpoint_id: endpointId,
    bucket,
    source_class: sourceClassOf(item.source),
    priority: item.priority,
    workflow_name: item.workflowName,
    workflow_id: item.workflowId,
    workflow_version: item.workflowVersion,
    input: {
      ...item.extraInput,
      scanId: item.scanId,
      bucket,
      key,
      ...(versionId !== undefined && { versionId }),
      source: item.source,
    },
    size_bytes: item.sizeBytes,
    at: item.at,
    not_before: item.undecided === undefined ? item.at : item.at + DECIDE_WITHIN_MS,
    decide_at: item.undecided === undefined ? undefined : item.at,
    upload: item.undecided,
  }));
  await tx.query(
    `INSERT INTO backlog_item (scan_id, object_id, endpoint_id, bucket, source_class, priority, workflow_name,
                               workflow_version, workflow_id, input, size_bytes, enqueued_at, not_before, decide_at,
                               upload)
     SELECT scan_id, object_id, endpoint_id, bucket, source_class, priority, workflow_name, workflow_version,
            workflow_id, input, size_bytes, at, not_before, decide_at, upload
       FROM json_to_recordset($1::json) AS i (scan_id uuid, object_id uuid, endpoint_id text, bucket text,
            source_class text, priority int, workflow_name text, workflow_version int, workflow_id text, input json,
            size_bytes bigint, at bigint, not_before bigint, decide_at bigint, upload json)`,
    [JSON.stringify(rows)],
  );
}
