import type { Queryable } from '../../database/queryable.js';
import { commitmentsIn, opened } from '../personal/commitment.js';
import { factsOf } from './personal.js';

export interface EventFilter {
  /** From this moment on. */
  readonly from?: number | undefined;
  /** Before this moment. */
  readonly to?: number | undefined;
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly subject?: string | undefined;
  /** Older than this event. */
  readonly cursor?: string | undefined;
  readonly limit: number;
}

export interface StoredEvent {
  readonly id: string;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly data: unknown;
  /** Fields of `data` whose values were erased. */
  readonly erased: readonly string[];
  /** Its place in the chain; null until it is chained. */
  readonly seq: number | null;
}

/** The newest first. */
export async function listEvents(db: Queryable, filter: EventFilter): Promise<StoredEvent[]> {
  const rows = await db.query<
    Pick<StoredEvent, 'id' | 'actor' | 'action' | 'subject'> & {
      at: string;
      seq: string | null;
      data: string;
    }
  >(
    `SELECT e.id, e.at, e.actor, e.action, e.subject, e.data::text AS data, l.seq
       FROM audit_event e LEFT JOIN audit_link l ON l.event_id = e.id
      WHERE ($1::bigint IS NULL OR e.at >= $1) AND ($2::bigint IS NULL OR e.at < $2)
        AND ($3::text IS NULL OR e.actor = $3) AND ($4::text IS NULL OR e.action = $4)
        AND ($5::text IS NULL OR e.subject = $5) AND ($6::bigint IS NULL OR e.id < $6)
      ORDER BY e.id DESC LIMIT $7`,
    [
      filter.from ?? null,
      filter.to ?? null,
      filter.actor ?? null,
      filter.action ?? null,
      filter.subject ?? null,
      filter.cursor ?? null,
      filter.limit,
    ],
  );
  const commitments = rows.flatMap(({ data }) => [...commitmentsIn(data).values()]);
  const openings = await factsOf(db, commitments);
  return rows.map((row) => ({
    ...row,
    ...opened(row.data, openings),
    at: Number(row.at),
    seq: row.seq === null ? null : Number(row.seq),
  }));
}
