import type { Place } from '../../cursor.js';
import type { Queryable } from '../../database/queryable.js';
import type { SourceClass } from '../source-class.js';
import { LANES } from './queue-lanes.js';

/** `postponed`: tried again later, or its object is asked by the rules. */
export const ITEM_STATES = ['waiting', 'postponed', 'running', 'dead'] as const;
export type ItemState = (typeof ITEM_STATES)[number];

/** A scan in the backlog, or that runs, or that could not be started. */
export interface ItemRow {
  readonly scan_id: string;
  readonly object_id: string;
  readonly endpoint_id: string;
  readonly bucket: string;
  readonly key: string;
  readonly version_id: string | null;
  readonly source_class: SourceClass;
  readonly priority: number | null;
  readonly workflow_name: string;
  readonly workflow_version: number | null;
  readonly workflow_id: string;
  readonly size_bytes: number | null;
  readonly enqueued_at: number;
  readonly attempts: number | null;
  readonly not_before: number | null;
  readonly is_undecided: boolean;
  readonly started_at: number | null;
  readonly died_at: number | null;
  readonly code: string | null;
  readonly reason: string | null;
  /** Where it is in its list. */
  readonly place: number;
}

export interface ItemFilter {
  readonly bucket?: string | undefined;
  readonly source?: SourceClass | undefined;
}

const MATCHES = `($3::text IS NULL OR i.bucket = $3) AND ($4::text IS NULL OR i.source_class = $4)`;

const WAITING = `i.scan_id, i.object_id, i.endpoint_id, i.bucket, i.source_class, i.priority, i.workflow_name,
  i.workflow_version, i.workflow_id, coalesce(o.size_bytes, i.size_bytes)::float8 AS size_bytes,
  i.enqueued_at::float8 AS enqueued_at, i.attempts, i.not_before::float8 AS not_before,
  i.decide_at IS NOT NULL AS is_undecided, NULL::float8 AS started_at, NULL::float8 AS died_at,
  NULL::text AS code, i.last_error AS reason`;

const OBJECT = 'o.key, o.version_id';

// $1, $2: the place to go on after; $3, $4: the filter; $5: how many.
const STATEMENTS: Readonly<Record<ItemState, string>> = {
  waiting: `
    WITH RECURSIVE ${LANES}, page AS (
      SELECT h.scan_id FROM lane l CROSS JOIN LATERAL (
        SELECT b.scan_id, b.enqueued_at FROM backlog_item b
         WHERE b.endpoint_id = l.endpoint_id AND b.bucket = l.bucket AND b.source_class = l.source_class
           AND NOT b.postponed AND b.decide_at IS NULL
           AND (b.enqueued_at, b.scan_id) > (coalesce($1::bigint, 0), $2::uuid)
         ORDER BY b.enqueued_at, b.scan_id LIMIT $5) h
       WHERE ($3::text IS NULL OR l.bucket = $3) AND ($4::text IS NULL OR l.source_class = $4)
       ORDER BY h.enqueued_at, h.scan_id LIMIT $5)
    SELECT ${WAITING}, ${OBJECT}, i.enqueued_at::float8 AS place
      FROM backlog_item i JOIN object_version o ON o.id = i.object_id
     WHERE i.scan_id IN (SELECT scan_id FROM page) ORDER BY i.enqueued_at, i.scan_id`,
  postponed: `
    SELECT ${WAITING}, ${OBJECT}, i.not_before::float8 AS place
      FROM backlog_item i JOIN object_version o ON o.id = i.object_id
     WHERE (i.postponed OR i.decide_at IS NOT NULL)
       AND (i.not_before, i.scan_id) > (coalesce($1::bigint, 0), $2::uuid) AND ${MATCHES}
     ORDER BY i.not_before, i.scan_id LIMIT $5`,
  running: `
    SELECT i.id AS scan_id, i.object_id, o.endpoint_id, o.bucket, ${OBJECT},
           coalesce(i.source_class, CASE i.origin WHEN 'request' THEN 'request' ELSE 'upload' END) AS source_class,
           NULL::int AS priority, i.workflow_name, NULL::int AS workflow_version, i.workflow_id,
           o.size_bytes::float8, i.requested_at::float8 AS enqueued_at, NULL::int AS attempts,
           NULL::float8 AS not_before, false AS is_undecided, i.started_at::float8, NULL::float8 AS died_at,
           NULL::text AS code, NULL::text AS reason, i.started_at::float8 AS place
      FROM scan i JOIN object_version o ON o.id = i.object_id
     WHERE i.started_at IS NOT NULL AND i.verdict_at IS NULL AND i.closed_at IS NULL
       AND (i.started_at, i.id) > (coalesce($1::bigint, 0), $2::uuid) AND ($3::text IS NULL OR o.bucket = $3)
       AND ($4::text IS NULL OR $4 = coalesce(i.source_class, CASE i.origin WHEN 'request' THEN 'request' ELSE 'upload' END))
     ORDER BY i.started_at, i.id LIMIT $5`,
  dead: `
    SELECT i.scan_id, i.object_id, i.endpoint_id, i.bucket, ${OBJECT}, i.source_class, i.priority, i.workflow_name,
           i.workflow_version, i.workflow_id, coalesce(o.size_bytes, i.size_bytes)::float8 AS size_bytes,
           i.enqueued_at::float8, i.attempts, NULL::float8 AS not_before, false AS is_undecided,
           NULL::float8 AS started_at, i.died_at::float8, i.code, i.reason, i.died_at::float8 AS place
      FROM dead_letter i JOIN object_version o ON o.id = i.object_id
     WHERE ($1::bigint IS NULL OR (i.died_at, i.scan_id) < ($1, $2::uuid)) AND ${MATCHES}
     ORDER BY i.died_at DESC, i.scan_id DESC LIMIT $5`,
};

const NIL = '00000000-0000-0000-0000-000000000000';

/** One page of what is in a state: the oldest first, of dead letters the newest. */
export const listItems = (
  db: Queryable,
  args: {
    readonly state: ItemState;
    readonly filter: ItemFilter;
    readonly after?: Place | undefined;
    readonly limit: number;
  },
): Promise<ItemRow[]> =>
  db.query<ItemRow>(STATEMENTS[args.state], [
    args.after?.at ?? null,
    args.after?.id ?? NIL,
    args.filter.bucket ?? null,
    args.filter.source ?? null,
    args.limit,
  ]);
