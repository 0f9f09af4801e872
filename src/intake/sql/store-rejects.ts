import { createHash } from 'node:crypto';
import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import { storableText } from '../../verdicts/text.js';
import { redacted, redactedText } from '../redact.js';
import type { RejectedEvent } from '../s3-event.js';

/** The largest message that S3 makes. More of what a source sends would only fill the disk. */
export const MAX_RAW = 65_536;

/** A reject with where and when it came. */
export interface NewReject {
  readonly rejected: RejectedEvent;
  readonly sourceKind: string;
  /** Of the source whose events mean only buckets of this endpoint. */
  readonly endpointId?: string | undefined;
  readonly at: Instant;
}

/** Keeps what could not be used, with its reason. The same thing again only raises its count. */
export async function storeRejects(tx: Queryable, rejects: readonly NewReject[]): Promise<void> {
  // One row per statement and key: ON CONFLICT refuses to touch a row twice.
  const rows = new Map<string, Readonly<Record<string, unknown>> & { readonly deliveries: number }>();
  for (const { rejected, sourceKind, endpointId, at } of rejects) {
    const text = textOf(rejected.raw);
    const raw = storableText(text, MAX_RAW);
    const key = createHash('sha256')
      .update(
        JSON.stringify([
          rejected.reason,
          rejected.path,
          raw,
          ...(endpointId === undefined ? [] : [endpointId]),
        ]),
      )
      .digest('hex');
    const known = rows.get(key);
    rows.set(key, {
      reject_key: key,
      source_kind: sourceKind,
      endpoint_id: endpointId,
      reason: rejected.reason,
      path: storableText(rejected.path, 500),
      message: storableText(rejected.message, 1000),
      bucket: rejected.bucket === undefined ? undefined : storableText(rejected.bucket, 255),
      raw,
      truncated: text.length > MAX_RAW,
      deliveries: (known?.deliveries ?? 0) + 1,
      at,
    });
  }
  if (rows.size === 0) return;
  // In one order, so that two nodes that keep the same things never wait for each other in a ring.
  const ordered = [...rows.keys()].sort().map((key) => rows.get(key));
  await tx.query(
    `INSERT INTO intake_reject AS r (reject_key, source_kind, endpoint_id, reason, path, message, bucket, raw,
                                     truncated, deliveries, first_at, last_at)
     SELECT reject_key, source_kind, endpoint_id, reason, path, message, bucket, raw, truncated, deliveries, at, at
       FROM json_to_recordset($1::json) AS e (reject_key text, source_kind text, endpoint_id text, reason text, path text,
            message text, bucket text, raw text, truncated boolean, deliveries int, at bigint)
     ON CONFLICT (reject_key) DO UPDATE
       SET deliveries = r.deliveries + excluded.deliveries, last_at = greatest(r.last_at, excluded.last_at)`,
    [JSON.stringify(ordered)],
  );
}

function textOf(raw: unknown): string {
  if (typeof raw === 'string') return redactedText(raw);
  return JSON.stringify(redacted(raw)) ?? 'null';
}
