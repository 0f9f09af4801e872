import type { Queryable } from '../../database/queryable.js';
import type { AuditLink, AuditRecord } from '../chain/record.js';

/** How far the events are chained. */
export interface ChainState {
  readonly chainId: string;
  readonly settledId: string;
  readonly sweptId: string;
  /** Every transaction that could hold an id up to the mark has ended. */
  readonly isMarkOver: boolean;
  /** 0 before the first mark. */
  readonly markAt: number;
}

/** The place of the last event that is chained; `undefined` when none is. */
export interface ChainHead {
  readonly seq: number;
  readonly hash: Buffer;
}

/** Whether this transaction is the one that chains; the others do something else. */
export async function mayChain(tx: Queryable): Promise<boolean> {
  const [row] = await tx.query<{ is_mine: boolean }>(
    `SELECT pg_try_advisory_xact_lock(hashtextextended('sallyport-audit-chain', 0)) AS is_mine`,
  );
  return row?.is_mine === true;
}

export async function chainState(db: Queryable): Promise<ChainState> {
  const [row] = await db.query<{
    chain_id: string;
    settled_id: string;
    swept_id: string;
    is_over: boolean;
    mark_at: string;
  }>(
    `SELECT chain_id, settled_id, swept_id, mark_at, mark_xid <= pg_snapshot_xmin(pg_current_snapshot()) AS is_over
       FROM audit_chain`,
  );
  if (row === undefined) throw new Error('audit_chain has no row: restore it from a backup');
  return {
    chainId: row.chain_id,
    settledId: row.settled_id,
    sweptId: row.swept_id,
    isMarkOver: row.is_over,
    markAt: Number(row.mark_at),
  };
}

export async function chainHead(db: Queryable): Promise<ChainHead | undefined> {
  const [row] = await db.query<{ seq: string; hash: Buffer }>(
    'SELECT seq, hash FROM audit_link ORDER BY seq DESC LIMIT 1',
  );
  return row && { seq: Number(row.seq), hash: row.hash };
}

/** Events that nobody chained yet, with ids above one and, where it is said, up to another. */
export const unchained = (
  db: Queryable,
  {
    above,
    upTo,
    limit,
  }: { readonly above: string; readonly upTo?: string | undefined; readonly limit: number },
): Promise<AuditRecord[]> =>
  db.query<{ [K in keyof AuditRecord]: string }>(
    `SELECT e.id, e.at, e.actor, e.action, e.subject, e.data::text AS data FROM audit_event e
      WHERE e.id > $1 AND ($2::bigint IS NULL OR e.id <= $2)
        AND NOT EXISTS (SELECT 1 FROM audit_link l WHERE l.event_id = e.id)
      ORDER BY e.id LIMIT $3`,
    [above, upTo ?? null, limit],
  );

export const insertLinks = (tx: Queryable, links: readonly AuditLink[]): Promise<unknown> =>
  tx.query(
    `INSERT INTO audit_link (seq, event_id, hash)
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])`,
    [links.map(({ seq }) => seq), links.map(({ eventId }) => eventId), links.map(({ hash }) => hash)],
  );

/** Of what was marked, this much is chained: it need not be looked at again. */
export const settleUpTo = (tx: Queryable, eventId: string): Promise<unknown> =>
  tx.query('UPDATE audit_chain SET settled_id = greatest(settled_id, least($1::bigint, mark_id))', [eventId]);

/** What was marked is settled, and what is there now is marked. */
export const settleMark = (tx: Queryable, now: number): Promise<unknown> =>
  tx.query(
    `UPDATE audit_chain SET settled_id = mark_id, mark_at = $1,
       mark_id = coalesce((SELECT max(id) FROM audit_event), 0), mark_xid = pg_snapshot_xmax(pg_current_snapshot())`,
    [now],
  );

/** Up to here no straggler is left. */
export const noteSwept = (tx: Queryable, upTo: string): Promise<unknown> =>
  tx.query('UPDATE audit_chain SET swept_id = $1', [upTo]);
