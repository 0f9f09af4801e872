import type { Queryable } from '../../database/queryable.js';
import type { AuditRecord } from '../chain/record.js';

/** A link, and the event that it names as it stands now; without one when that is gone. */
export interface LinkRow {
  readonly seq: number;
  readonly eventId: string;
  readonly hash: Buffer;
  readonly record?: AuditRecord | undefined;
}

/** The next links after a place, in order. */
export async function linksAfter(db: Queryable, seq: number, limit: number): Promise<LinkRow[]> {
  const rows = await db.query<{
    seq: string;
    event_id: string;
    hash: Buffer;
    id: string | null;
    at: string;
    actor: string;
    action: string;
    subject: string;
    data: string;
  }>(
    `SELECT l.seq, l.event_id, l.hash, e.id, e.at, e.actor, e.action, e.subject, e.data::text AS data
       FROM (SELECT * FROM audit_link WHERE seq > $1 ORDER BY seq LIMIT $2) l
       LEFT JOIN audit_event e ON e.id = l.event_id ORDER BY l.seq`,
    [seq, limit],
  );
  return rows.map(({ seq: place, event_id, hash, id, ...rest }) => ({
    seq: Number(place),
    eventId: event_id,
    hash,
    ...(id === null ? {} : { record: { id, ...rest } }),
  }));
}

export interface CheckpointRow {
  readonly seq: number;
  readonly head: Buffer;
  readonly at: number;
  readonly keyId: string;
  readonly signature: Buffer;
}

export async function checkpointsAfter(db: Queryable, seq: number, limit: number): Promise<CheckpointRow[]> {
  const rows = await db.query<{ seq: string; head: Buffer; at: string; key_id: string; signature: Buffer }>(
    'SELECT * FROM audit_checkpoint WHERE seq > $1 ORDER BY seq LIMIT $2',
    [seq, limit],
  );
  return rows.map((row) => ({
    seq: Number(row.seq),
    head: row.head,
    at: Number(row.at),
    keyId: row.key_id,
    signature: row.signature,
  }));
}

/** The last event that a place outside knows the chain up to; 0 when none does. */
export async function anchoredUpTo(db: Queryable): Promise<number> {
  const [row] = await db.query<{ seq: string }>('SELECT coalesce(max(seq), 0) AS seq FROM audit_anchor');
  return Number(row?.seq ?? 0);
}

/** Events that should be chained and are not: the first, and how many wait for their turn. */
export async function unchainedEvents(
  db: Queryable,
): Promise<{ readonly missed: string | undefined; readonly waiting: number }> {
  const [row] = await db.query<{ missed: string | null; waiting: string }>(
    `SELECT (SELECT min(e.id) FROM audit_event e
              WHERE e.id <= (SELECT swept_id FROM audit_chain)
                AND NOT EXISTS (SELECT 1 FROM audit_link l WHERE l.event_id = e.id)) AS missed,
            (SELECT count(*) FROM audit_event e
              WHERE e.id > (SELECT swept_id FROM audit_chain)
                AND NOT EXISTS (SELECT 1 FROM audit_link l WHERE l.event_id = e.id)) AS waiting`,
  );
  return { missed: row?.missed ?? undefined, waiting: Number(row?.waiting ?? 0) };
}
