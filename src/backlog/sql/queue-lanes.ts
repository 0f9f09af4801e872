import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { SourceClass } from '../source-class.js';

/** A queue: what of one class waits for one bucket. */
export interface LaneRow {
  readonly endpoint_id: string;
  readonly bucket: string;
  readonly source_class: SourceClass;
}

/** Who shares fairly: a bucket on its endpoint. No endpoint id holds a slash. */
export const groupOf = (row: { readonly endpoint_id: string; readonly bucket: string }): string =>
  `${row.endpoint_id}/${row.bucket}`;

/** One text per queue. */
export const laneIdOf = (row: LaneRow): string => `${row.source_class}:${groupOf(row)}`;

/** One item at the head of its queue. */
export interface HeadRow extends LaneRow {
  /** Among the oldest of its queue, not among the first. */
  readonly is_aged: boolean;
  /** How many of its queue were asked for. */
  readonly wanted: number;
  readonly scan_id: string;
  readonly priority: number;
  readonly enqueued_at: number;
  readonly size_bytes: number | null;
}

export interface OpenQueues {
  readonly now: Instant;
  /** How many may start: the first of all queues together are at least twice as many, where so many wait. */
  readonly places: number;
  /** The fewest, and the most, that are read of one queue. */
  readonly fewest: number;
  readonly most: number;
  /** What came before is old enough to be asked for by age too; at most so many of one queue. */
  readonly agedBefore: Instant;
  readonly agedMost: number;
}

const HEAD = 'b.scan_id, b.priority, b.enqueued_at, b.size_bytes';
const headsOf = (lane: string) => `
  FROM backlog_item b
 WHERE b.endpoint_id = ${lane}.endpoint_id AND b.bucket = ${lane}.bucket AND b.source_class = ${lane}.source_class
   AND NOT b.postponed AND b.decide_at IS NULL AND b.not_before <= $1`;
const BY_TURN = 'ORDER BY b.priority DESC, b.enqueued_at, b.scan_id';

/** The queues in which something may start, found by jumping through the index from one to the next: `lane`. */
export const LANES = `lane AS (
       (SELECT endpoint_id, bucket, source_class FROM backlog_item WHERE NOT postponed AND decide_at IS NULL
         ORDER BY endpoint_id, bucket, source_class LIMIT 1)
       UNION ALL
       SELECT n.endpoint_id, n.bucket, n.source_class FROM lane l CROSS JOIN LATERAL (
         SELECT b.endpoint_id, b.bucket, b.source_class FROM backlog_item b
          WHERE NOT b.postponed AND b.decide_at IS NULL
            AND (b.endpoint_id, b.bucket, b.source_class) > (l.endpoint_id, l.bucket, l.source_class)
          ORDER BY b.endpoint_id, b.bucket, b.source_class LIMIT 1) n)`;

/**
 * The heads of all queues that nobody stopped. Of each no more is read than is answered: it
 * costs the same however many wait behind them.
 */
export const openQueues = (db: Queryable, args: OpenQueues): Promise<HeadRow[]> =>
  db.query<HeadRow>(
    `WITH RECURSIVE ${LANES}, open AS MATERIALIZED (
       SELECT l.*, least($4::int, greatest($3::int, 2 * $2::int / count(*) OVER () + 1))::int AS wanted FROM lane l
        WHERE NOT EXISTS (
          SELECT FROM backlog_pause p
           WHERE (p.bucket IS NULL OR (p.bucket = l.bucket AND p.endpoint_id = l.endpoint_id))
             AND (p.source_class IS NULL OR p.source_class = l.source_class))
     )
     SELECT o.endpoint_id, o.bucket, o.source_class, o.wanted, h.is_aged, h.scan_id, h.priority, h.enqueued_at::float8,
            h.size_bytes::float8
       FROM open o CROSS JOIN LATERAL (
         (SELECT false AS is_aged, ${HEAD} ${headsOf('o')} ${BY_TURN} LIMIT o.wanted)
         UNION ALL
         (SELECT true, ${HEAD} ${headsOf('o')} AND b.enqueued_at <= $5
           ORDER BY b.enqueued_at, b.scan_id LIMIT $6)) h`,
    [args.now, args.places, args.fewest, args.most, args.agedBefore, args.agedMost],
  );

/** The first `wanted` of each of these queues: by priority, then by age. */
export const laneHeads = (
  db: Queryable,
  lanes: readonly (LaneRow & { readonly wanted: number })[],
  now: Instant,
): Promise<HeadRow[]> =>
  db.query<HeadRow>(
    `SELECT l.endpoint_id, l.bucket, l.source_class, l.wanted, false AS is_aged, h.scan_id, h.priority,
            h.enqueued_at::float8, h.size_bytes::float8
       FROM unnest($2::text[], $3::text[], $4::text[], $5::int[]) AS l (endpoint_id, bucket, source_class, wanted)
      CROSS JOIN LATERAL (SELECT ${HEAD} ${headsOf('l')} ${BY_TURN} LIMIT l.wanted) h`,
    [
      now,
      lanes.map((lane) => lane.endpoint_id),
      lanes.map((lane) => lane.bucket),
      lanes.map((lane) => lane.source_class),
      lanes.map((lane) => lane.wanted),
    ],
  );
