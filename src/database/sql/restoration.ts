import type { Queryable } from '../queryable.js';

/** One restore of this database. */
export interface Restoration {
  readonly id: string;
  readonly backupId: string;
  readonly backupAt: number;
  readonly restoredAt: number;
  /** The last event of the audit record that both lives have; 0 for none. */
  readonly forkSeq: number;
  /** Hexadecimal. */
  readonly forkHead: string | undefined;
  readonly reconciledAt: number | undefined;
  readonly reconciliation: unknown;
  readonly releasedAt: number | undefined;
  readonly releasedBy: string | undefined;
}

interface Row {
  readonly id: string;
  readonly backup_id: string;
  readonly backup_at: string;
  readonly restored_at: string;
  readonly fork_seq: string;
  readonly fork_head: Buffer | null;
  readonly reconciled_at: string | null;
  readonly reconciliation: unknown;
  readonly released_at: string | null;
  readonly released_by: string | null;
}

/** The newest one; `undefined` where the database was never restored. */
export const lastRestoration = async (db: Queryable): Promise<Restoration | undefined> =>
  first(await db.query<Row>('SELECT * FROM restoration ORDER BY restored_at DESC, id LIMIT 1'));

/** The one that nobody has released yet; there is at most one. */
export const findHeld = async (db: Queryable, lock = false): Promise<Restoration | undefined> =>
  first(
    await db.query<Row>(`SELECT * FROM restoration WHERE released_at IS NULL${lock ? ' FOR UPDATE' : ''}`),
  );

export const noteReconciliation = (
  db: Queryable,
  id: string,
  reconciliation: object,
  at: number,
): Promise<unknown> =>
  db.query('UPDATE restoration SET reconciliation = $2, reconciled_at = $3 WHERE id = $1', [
    id,
    JSON.stringify(reconciliation),
    at,
  ]);

/** What a comparison that was begun then has found so far. @returns false where another was begun since. */
export async function keepReconciliation(
  db: Queryable,
  id: string,
  reconciliation: object,
  begunAt: number,
): Promise<boolean> {
  const rows = await db.query(
    'UPDATE restoration SET reconciliation = $2 WHERE id = $1 AND reconciled_at = $3 RETURNING id',
    [id, JSON.stringify(reconciliation), begunAt],
  );
  return rows.length > 0;
}

export const noteReleased = (db: Queryable, id: string, by: string, at: number): Promise<unknown> =>
  db.query('UPDATE restoration SET released_at = $3, released_by = $2 WHERE id = $1', [id, by, at]);

function first([row]: readonly Row[]): Restoration | undefined {
  if (row === undefined) return undefined;
  return {
    id: row.id,
    backupId: row.backup_id,
    backupAt: Number(row.backup_at),
    restoredAt: Number(row.restored_at),
    forkSeq: Number(row.fork_seq),
    forkHead: row.fork_head?.toString('hex'),
    reconciledAt: row.reconciled_at === null ? undefined : Number(row.reconciled_at),
    reconciliation: row.reconciliation,
    releasedAt: row.released_at === null ? undefined : Number(row.released_at),
    releasedBy: row.released_by ?? undefined,
  };
}
