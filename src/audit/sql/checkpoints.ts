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

/** A copy of a checkpoint in a place outside. */
export interface Anchor {
  readonly seq: number;
  readonly place: string;
  readonly at: number;
  /** Until then nobody can take it away there; undefined where nothing says so. */
  readonly lockedUntil?: number | undefined;
}

/** It stands in a place outside, too. */
export const insertAnchor = (db: Queryable, { seq, place, at, lockedUntil }: Anchor): Promise<unknown> =>
  db.query(
    `INSERT INTO audit_anchor (seq, place, at, locked_until) VALUES ($1, $2, $3, $4)
     ON CONFLICT (seq, place) DO NOTHING`,
    [seq, place, at, lockedUntil ?? null],
  );

/** The newest copy in each place, by the places' names. */
export async function lastAnchors(db: Queryable): Promise<Anchor[]> {
  const rows = await db.query<{ seq: string; place: string; at: string; locked_until: string | null }>(
    'SELECT DISTINCT ON (place) * FROM audit_anchor ORDER BY place, seq DESC',
  );
  return rows.map((row) => ({
    seq: Number(row.seq),
    place: row.place,
    at: Number(row.at),
    lockedUntil: row.locked_until === null ? undefined : Number(row.locked_until),
  }));
}
