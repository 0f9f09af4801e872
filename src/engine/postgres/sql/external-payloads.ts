import type { Queryable } from '../../../database/queryable.js';
import type { NewPayload, UnusedPayload } from '../../execution-store.js';

/** Says that a value is about to be written. */
export const insertPayloadRecord = (
  db: Queryable,
  { key, workflowId, store, bytes, createdAt }: NewPayload,
): Promise<unknown> =>
  db.query(
    `INSERT INTO external_payload (key, workflow_id, store, bytes, created_at, state)
     VALUES ($1, $2, $3, $4, $5, 'written')`,
    [key, workflowId, store, bytes, createdAt],
  );

const MARK_USED = `
  UPDATE external_payload SET state = 'used' WHERE key = ANY ($1) AND state <> 'doomed' RETURNING key`;

/** In the commit that refers to them. @returns those that are being removed: they must not be referred to. */
export async function markPayloadsUsed(tx: Queryable, keys: readonly string[]): Promise<readonly string[]> {
  const rows = await tx.query<{ key: string }>(MARK_USED, [keys]);
  const used = new Set(rows.map(({ key }) => key));
  return keys.filter((key) => !used.has(key));
}

export const TAKE_UNUSED_PAYLOADS = `
  WITH unused AS (
    SELECT key FROM external_payload
    WHERE state <> 'used' AND (state = 'doomed' OR created_at < $1)
    ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
  )
  UPDATE external_payload p SET state = 'doomed' FROM unused WHERE p.key = unused.key
  RETURNING p.key, p.store`;

/** Dooms what was written before `writtenBefore` and never used, and names what is doomed. */
export const takeUnusedPayloads = (
  db: Queryable,
  writtenBefore: number,
  limit: number,
): Promise<readonly UnusedPayload[]> => db.query<UnusedPayload>(TAKE_UNUSED_PAYLOADS, [writtenBefore, limit]);

/** After the values themselves were removed. */
export const deletePayloadRecords = (db: Queryable, keys: readonly string[]): Promise<unknown> =>
  db.query(`DELETE FROM external_payload WHERE key = ANY ($1) AND state = 'doomed'`, [keys]);
