import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';

/** One request over many reviews, by whoever made it and the key that they gave it. */
export interface Batch {
  readonly id: string;
  readonly actor: string;
  readonly key: string;
  readonly requestDigest: string;
  readonly createdAt: Instant;
}

// Forgotten a few at a time, with each new one.
const FORGET_AT_ONCE = 100;

/** @returns the batch; the earlier one under the same key where there is one, and whether it is new. */
export async function beginBatch(
  tx: Queryable,
  batch: Batch,
  forgetBefore: Instant,
): Promise<{ readonly batch: Batch; readonly isNew: boolean }> {
  await tx.query(
    `DELETE FROM review_batch WHERE id IN
       (SELECT id FROM review_batch WHERE created_at < $1 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    [forgetBefore, FORGET_AT_ONCE],
  );
  const [row] = await tx.query<{
    id: string;
    request_digest: string;
    created_at: string;
    is_new: boolean;
  }>(
    // The update changes nothing: it makes the row that is there come back, whoever wrote it a moment ago.
    `INSERT INTO review_batch (id, actor, key, request_digest, created_at) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (actor, key) DO UPDATE SET key = excluded.key
     RETURNING id, request_digest, created_at, id = $1 AS is_new`,
    [batch.id, batch.actor, batch.key, batch.requestDigest, batch.createdAt],
  );
  if (row === undefined) throw new Error('an upsert returned no row');
  return {
    batch: { ...batch, id: row.id, requestDigest: row.request_digest, createdAt: Number(row.created_at) },
    isNew: row.is_new,
  };
}

/** Keeps what came of one review. @returns false when that is known already. */
export async function keepResult(
  tx: Queryable,
  batchId: string,
  reviewId: string,
  result: object,
): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO review_batch_item (batch_id, review_id, result) VALUES ($1, $2, $3::json)
     ON CONFLICT DO NOTHING RETURNING review_id`,
    [batchId, reviewId, JSON.stringify(result)],
  );
  return rows.length === 1;
}

/** What is known so far, by review. */
export async function resultsOf<Result>(
  db: Queryable,
  batchId: string,
): Promise<ReadonlyMap<string, Result>> {
  const rows = await db.query<{ review_id: string; result: Result }>(
    'SELECT review_id, result FROM review_batch_item WHERE batch_id = $1',
    [batchId],
  );
  return new Map(rows.map(({ review_id, result }) => [review_id, result]));
}
