import type { Queryable } from '../../database/queryable.js';
import type { CheckpointRow } from './verification.js';

export async function lastCheckpoint(
  db: Queryable,
): Promise<{ readonly seq: number; readonly at: number } | undefined> {
  const [row] = await db.query<{ seq: string; at: string }>(
    'SELECT seq, at FROM audit_checkpoint ORDER BY seq DESC LIMIT 1',
  );
  return row && { seq: Number(row.seq), at: Number(row.at) };
}

/** Of several processes that sign the same place, one writes it. @returns whether this one. */
export async function insertCheckpoint(tx: Queryable, one: CheckpointRow): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO audit_checkpoint (seq, head, at, key_id, signature) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (seq) DO NOTHING RETURNING seq`,
    [one.seq, one.head, one.at, one.keyId, one.signature],
  );
  return rows.length === 1;
}

/** It stands in a place outside, too. */
export const insertAnchor = (db: Queryable, seq: number, place: string, at: number): Promise<unknown> =>
  db.query(
    'INSERT INTO audit_anchor (seq, place, at) VALUES ($1, $2, $3) ON CONFLICT (seq, place) DO NOTHING',
    [seq, place, at],
  );
