import { createHash } from 'node:crypto';
import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import { storableText } from '../../verdicts/text.js';
import type { RejectedEvent } from '../s3-event.js';

// Enough to see what a source sends; a flood of large nonsense must not fill the disk.
const MAX_RAW = 16_384;

/** Keeps what could not be used, with its reason. The same thing again only raises its count. */
export async function storeRejects(
  tx: Queryable,
  rejects: readonly RejectedEvent[],
  from: { readonly sourceKind: string; readonly at: Instant },
): Promise<void> {
  // One row per statement and key: ON CONFLICT refuses to touch a row twice.
  const rows = new Map<string, object>();
  for (const rejected of rejects) {
    const raw = storableText(
      typeof rejected.raw === 'string' ? rejected.raw : (JSON.stringify(rejected.raw) ?? 'null'),
      MAX_RAW,
    );
    const key = createHash('sha256')
      .update(JSON.stringify([rejected.reason, rejected.path, raw]))
      .digest('hex');
    rows.set(key, {
      reject_key: key,
      source_kind: from.sourceKind,
      reason: rejected.reason,
      path: storableText(rejected.path, 500),
      message: storableText(rejected.message, 1000),
      bucket: rejected.bucket === undefined ? undefined : storableText(rejected.bucket, 255),
      raw,
    });
  }
  if (rows.size === 0) return;
  const ordered = [...rows.keys()].sort().map((key) => rows.get(key));
  await tx.query(
    `INSERT INTO intake_reject AS r (reject_key, source_kind, reason, path, message, bucket, raw, first_at, last_at)
     SELECT reject_key, source_kind, reason, path, message, bucket, raw, $2, $2
       FROM json_to_recordset($1::json) AS e (reject_key text, source_kind text, reason text, path text,
            message text, bucket text, raw text)
     ON CONFLICT (reject_key) DO UPDATE SET deliveries = r.deliveries + 1, last_at = excluded.last_at`,
    [JSON.stringify(ordered), from.at],
  );
}
