import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { ReviewState } from '../rules/review.js';
import type { ReviewEventKind } from './review-events.js';

/** Where an event stands among all: by its transaction, then by its number. Numbers as text: they may be beyond 2^53. */
export interface EventPlace {
  readonly xid: string;
  readonly id: string;
}

/** Before all events. */
export const FIRST_PLACE: EventPlace = { xid: '0', id: '0' };

/** An event, and the review as it is now. */
export interface OrderedEvent extends EventPlace {
  readonly reviewId: string;
  readonly kind: ReviewEventKind;
  readonly at: Instant;
  readonly queue: string;
  readonly state: ReviewState;
  readonly version: number;
}

/*
 * Transactions commit in another order than their numbers. Below the oldest that still runs all are over, so that
 * nothing can come in there any more; events above it are read when it ends.
 */
const IS_SETTLED = 'xid < pg_snapshot_xmin(pg_current_snapshot())';

/** The last event below which nothing comes any more. */
export async function lastPlace(db: Queryable): Promise<EventPlace> {
  const [row] = await db.query<EventPlace>(
    `SELECT xid::text, id::text FROM review_event WHERE xid IS NOT NULL AND ${IS_SETTLED}
      ORDER BY review_event.xid DESC, review_event.id DESC LIMIT 1`,
  );
  return row ?? FIRST_PLACE;
}

/** Whether a settled event stands at this place: one of another database, or one that was removed, does not. */
export async function isPlace(db: Queryable, { xid, id }: EventPlace): Promise<boolean> {
  const rows = await db.query(
    `SELECT 1 FROM review_event WHERE id = $2 AND xid = $1::text::xid8 AND ${IS_SETTLED}`,
    [xid, id],
  );
  return rows.length === 1;
}

/** Events behind one place, and up to another where one is given, in their order. */
export const EVENTS_AFTER = `
  SELECT e.xid::text AS xid, e.id::text AS id, e.review_id AS "reviewId", e.kind, e.at::float8 AS at, r.queue, r.state,
         r.version
    FROM (SELECT xid, id, review_id, kind, at FROM review_event
           WHERE xid IS NOT NULL AND (xid, id) > ($1::text::xid8, $2::bigint) AND ${IS_SETTLED}
             AND ($3::text IS NULL OR (xid, id) <= ($3::text::xid8, $4::bigint))
           ORDER BY review_event.xid, review_event.id LIMIT $5) e
    JOIN review r ON r.id = e.review_id ORDER BY e.xid, e.id`;

export const eventsAfter = (
  db: Queryable,
  asked: { readonly after: EventPlace; readonly to?: EventPlace | undefined; readonly limit: number },
): Promise<OrderedEvent[]> =>
  db.query<OrderedEvent>(EVENTS_AFTER, [
    asked.after.xid,
    asked.after.id,
    asked.to?.xid ?? null,
    asked.to?.id ?? null,
    asked.limit,
  ]);
