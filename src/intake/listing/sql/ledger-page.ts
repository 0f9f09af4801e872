import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';
import type { RescanOptions } from '../run.js';
import { IS_UNDER_WAY } from './under-way.js';

/** A row of the ledger that a rescan looks at. */
export interface LedgerRow {
  readonly id: string;
  readonly endpoint_id: string;
  readonly bucket: string;
  readonly key: string;
  readonly version_id: string | null;
  readonly e_tag: string | null;
  readonly size_bytes: number | null;
  readonly first_seen_at: number;
  /** Asked for, and nobody scans it at this moment. */
  readonly is_wanted: boolean;
  readonly is_under_way: boolean;
}

export interface LedgerPage {
  readonly endpointId: string | undefined;
  readonly bucket: string | undefined;
  readonly prefix: string;
  readonly options: RescanOptions;
  /** First seen at or before. */
  readonly until: Instant;
  readonly after: { readonly at: Instant; readonly id: string } | undefined;
  readonly limit: number;
}

/**
 * The next rows of the ledger, newest first, and which of them are asked for: a page is read through an index whatever
 * is asked, so that a rare verdict among millions takes many short statements and no long one.
 */
export function ledgerPage(db: Queryable, page: LedgerPage): Promise<LedgerRow[]> {
  const { options } = page;
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${values.push(value)}`;
  const parts = ['o.folded_into IS NULL', `o.first_seen_at <= ${bind(page.until)}`];
  if (page.bucket !== undefined) parts.push(`o.bucket = ${bind(page.bucket)}`);
  if (options.seenAfter !== undefined) parts.push(`o.first_seen_at >= ${bind(options.seenAfter)}`);
  const [verdict, ...others] = options.verdicts ?? [];
  // One verdict has an index that finds it; several are told apart in what was read.
  if (verdict !== undefined && others.length === 0) parts.push(`o.verdict = ${bind(verdict)}`);
  if (page.after !== undefined) {
    parts.push(`(o.first_seen_at, o.id) < (${bind(page.after.at)}::bigint, ${bind(page.after.id)}::uuid)`);
  }
  const limit = bind(page.limit);
  const wanted = [
    'o.deleted_at IS NULL',
    // The bytes of an older state of an unversioned object are no longer there.
    `(o.is_latest OR coalesce(o.version_id, 'null') <> 'null')`,
    `starts_with(o.key, ${bind(page.prefix)})`,
    `(${bind(page.endpointId ?? null)}::text IS NULL OR o.endpoint_id = $${values.length})`,
    `(${bind(options.verdicts ?? null)}::text[] IS NULL OR o.verdict = ANY ($${values.length}))`,
    `(${bind(options.reasons ?? null)}::text[] IS NULL OR v.reason = ANY ($${values.length}))`,
    `(${bind(options.judgedBefore ?? null)}::bigint IS NULL OR v.at < $${values.length})`,
  ];
  return db.query<LedgerRow>(
    `WITH page AS MATERIALIZED (
       SELECT o.* FROM object_version o WHERE ${parts.join(' AND ')}
        ORDER BY o.first_seen_at DESC, o.id DESC LIMIT ${limit})
     SELECT o.id, o.endpoint_id, o.bucket, o.key, o.version_id, o.e_tag, o.size_bytes::float8, o.first_seen_at::float8,
            ${wanted.join(' AND ')} AS is_wanted,
            s.id IS NOT NULL AND ${IS_UNDER_WAY} AS is_under_way
       FROM page o LEFT JOIN verdict v ON v.id = o.verdict_id
       LEFT JOIN scan s ON s.object_id = o.id AND s.generation = o.generation
      ORDER BY o.first_seen_at DESC, o.id DESC`,
    values,
  );
}

/** The rows of the ledger whose current scans are open now. The caller holds their keys' locks. */
export async function underWayAmong(tx: Queryable, objectIds: readonly string[]): Promise<Set<string>> {
  const rows = await tx.query<{ id: string }>(
    `SELECT o.id FROM object_version o JOIN scan s ON s.object_id = o.id AND s.generation = o.generation
      WHERE o.id = ANY ($1) AND ${IS_UNDER_WAY}`,
    [objectIds],
  );
  return new Set(rows.map(({ id }) => id));
}
