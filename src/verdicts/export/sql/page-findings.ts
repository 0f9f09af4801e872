import type { Queryable } from '../../../database/queryable.js';
import type { Verdict } from '../../verdict.js';

export interface FindingFilter {
  readonly objectId?: string | undefined;
  readonly bucket?: string | undefined;
  readonly prefix?: string | undefined;
  readonly verdicts?: readonly Verdict[] | undefined;
  readonly kind?: 'secret' | 'malware' | undefined;
  /** Of objects first seen in [from, to). */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** A finding with the object that it was found in. */
export interface ExportedRow {
  readonly id: string;
  readonly object_id: string;
  readonly endpoint_id: string;
  readonly bucket: string;
  readonly key: string;
  readonly version_id: string | null;
  readonly verdict: Verdict;
  readonly scan_id: string;
  readonly judged_at: number | null;
  readonly kind: 'secret' | 'malware';
  readonly rule_id: string;
  readonly title: string;
  readonly severity: string;
  readonly confidence: string;
  readonly path: string;
  readonly line: number | null;
  readonly column: number | null;
  readonly byte_offset: number | null;
  readonly excerpt: string | null;
  readonly fingerprint: string;
  readonly source: string;
  readonly remediation: string | null;
  readonly accepted: boolean;
  readonly accepted_reason: string | null;
  readonly exception_id: string | null;
  readonly verified: 'active' | 'inactive' | 'unknown' | null;
  readonly verified_at: number | null;
}

export interface FindingsWalked {
  readonly rows: readonly ExportedRow[];
  /** The last finding that was looked at, where there may be more after it. */
  readonly last: string | undefined;
}

/**
 * Findings of the scans that objects are judged by, oldest first: looks at `walk` of them and returns those that fit.
 *
 * Bounded by what it looks at, not by what it finds: one object of millions may have what is asked for. Ids only grow,
 * so what is found again meanwhile comes later and nothing is passed over.
 */
export async function pageFindings(
  db: Queryable,
  filter: FindingFilter,
  { after, walk }: { readonly after: string | undefined; readonly walk: number },
): Promise<FindingsWalked> {
  const values: unknown[] = [after ?? '0', walk];
  const bind = (value: unknown): string => `$${values.push(value)}`;
  const walked = filter.objectId === undefined ? '' : `AND object_id = ${bind(filter.objectId)}`;
  const parts = ['o.folded_into IS NULL'];
  if (filter.bucket !== undefined) parts.push(`o.bucket = ${bind(filter.bucket)}`);
  if (filter.prefix !== undefined) parts.push(`starts_with(o.key, ${bind(filter.prefix)})`);
  if (filter.verdicts !== undefined) parts.push(`o.verdict = ANY (${bind(filter.verdicts)})`);
  if (filter.kind !== undefined) parts.push(`f.kind = ${bind(filter.kind)}`);
  if (filter.from !== undefined) parts.push(`o.first_seen_at >= ${bind(filter.from)}`);
  if (filter.to !== undefined) parts.push(`o.first_seen_at < ${bind(filter.to)}`);
  const rows = await db.query<ExportedRow & { readonly last: string | null; readonly walked: number }>(
    `WITH f AS MATERIALIZED (
       SELECT * FROM finding WHERE id > $1::bigint ${walked} ORDER BY id LIMIT $2
     ), fitting AS (
       SELECT f.id, f.object_id, o.endpoint_id, o.bucket, o.key, o.version_id, o.verdict, f.scan_id,
              s.verdict_at::float8 AS judged_at, f.kind, f.rule_id, f.title, f.severity, f.confidence, f.path, f.line,
              f."column", f.byte_offset::float8 AS byte_offset, f.excerpt, f.fingerprint, f.source, f.remediation,
              f.accepted, f.accepted_reason, f.exception_id, f.verified, f.verified_at::float8 AS verified_at
         FROM f JOIN scan s ON s.id = f.scan_id
         JOIN object_version o ON o.id = f.object_id AND o.verdict_generation = s.generation
        WHERE ${parts.join(' AND ')}
     )
     SELECT fitting.*, w.last, w.walked
       FROM (SELECT max(id) AS last, count(*)::int AS walked FROM f) w LEFT JOIN fitting ON true
      ORDER BY fitting.id`,
    values,
  );
  const [first] = rows;
  return {
    rows: rows.filter((row) => row.id !== null),
    last: first?.walked === walk ? (first.last ?? undefined) : undefined,
  };
}

/** How many findings the scan counted that an object is judged by, those included that are not kept. */
export async function countFindings(db: Queryable, objectId: string): Promise<number | undefined> {
  const [row] = await db.query<{ total: number }>(
    `SELECT coalesce(s.secrets_total::bigint + s.malware_total, 0)::float8
            + (SELECT count(*) FROM finding f WHERE f.scan_id = s.id
                AND (f.source <> '' OR f.fingerprint LIKE 'external:%'))::float8 AS total
       FROM object_version o LEFT JOIN scan s ON s.object_id = o.id AND s.generation = o.verdict_generation
      WHERE o.id = $1`,
    [objectId],
  );
  return row?.total;
}
