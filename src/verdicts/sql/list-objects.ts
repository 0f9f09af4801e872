import type { Queryable } from '../../database/queryable.js';
import type { Place } from '../../cursor.js';
import type { EngineReport } from '../ledger.js';
import type { RequiredEngine, Verdict } from '../verdict.js';
import { WROTE } from './release-of.js';

export interface ObjectFilter {
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
  readonly prefix?: string | undefined;
  readonly verdicts?: readonly Verdict[] | undefined;
  /** First seen in [from, to). */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** An object version with its current verdict; times in milliseconds. */
export interface ObjectRow {
  readonly id: string;
  readonly endpoint_id: string;
  readonly bucket: string;
  readonly key: string;
  readonly version_id: string | null;
  readonly e_tag: string | null;
  readonly size_bytes: number | null;
  readonly last_modified: string | null;
  readonly content_type: string | null;
  readonly detected_type: string | null;
  readonly storage_class: string | null;
  readonly is_latest: boolean;
  readonly uploaded_at: number;
  readonly first_seen_at: number;
  readonly deleted_at: number | null;
  readonly folded_into: string | null;
  readonly uploader: string | null;
  readonly generation: number;
  readonly verdict: Verdict;
  readonly workflow_id: string | null;
  readonly decision: string | null;
  readonly decided_at: number | null;
  readonly action: string | null;
  readonly action_performed: boolean | null;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly required: readonly RequiredEngine[] | null;
  readonly engines: readonly EngineReport[] | null;
  readonly bytes_scanned: number | null;
  readonly bytes_total: number | null;
  readonly sha256: string | null;
  readonly scanned_at: number | null;
  readonly open_review_id: string | null;
  readonly findings_total: number;
  /** Of the scan that the verdict comes from; counted up to {@link COUNTED_FINDINGS}. */
  readonly certain_findings: number;
  readonly uncertain_findings: number;
  /** The baseline answers for them: they are in neither of the others. */
  readonly accepted_findings: number;
}

// A page shows whether there are some, and few or many: a scan keeps up to 2,000.
const COUNTED_FINDINGS = 100;

const COLUMNS = `o.id, o.endpoint_id, o.bucket, o.key, o.version_id, o.e_tag, o.size_bytes::float8, o.last_modified,
  o.content_type, o.detected_type, o.storage_class, o.is_latest, o.uploaded_at::float8, o.first_seen_at::float8,
  o.deleted_at::float8, o.folded_into, o.uploader, o.generation, o.verdict, o.workflow_id, o.decision, o.decided_at::float8,
  o.action, o.action_performed, v.reason, v.detail, v.required, v.engines, v.bytes_scanned::float8, v.bytes_total::float8,
  v.sha256, v.at::float8 AS scanned_at, r.id AS open_review_id, f.certain_findings, f.uncertain_findings, f.accepted_findings,
  (coalesce(s.secrets_total::bigint + s.malware_total, 0) + f.foreign_findings)::float8 AS findings_total`;

// Only a row of the page asks for its scan, by its key, for its review, through the index on the review's workflow, and for
// its findings, through that on their scan.
const FROM = `object_version o LEFT JOIN verdict v ON v.id = o.verdict_id
  LEFT JOIN scan s ON s.id = v.scan_id
  LEFT JOIN LATERAL (
    SELECT id FROM review WHERE workflow_id = o.workflow_id AND state IN ('OPEN', 'ASSIGNED', 'CLAIMED', 'ON_HOLD', 'INFO_REQUESTED') LIMIT 1
  ) r ON true
  LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE confidence = 'high' AND NOT accepted)::int AS certain_findings,
           count(*) FILTER (WHERE confidence <> 'high' AND NOT accepted)::int AS uncertain_findings,
           count(*) FILTER (WHERE accepted)::int AS accepted_findings,
           count(*) FILTER (WHERE source <> '' OR fingerprint LIKE 'external:%')::int AS foreign_findings
      FROM (SELECT confidence, accepted, source, fingerprint FROM finding WHERE scan_id = v.scan_id LIMIT ${COUNTED_FINDINGS}) counted
  ) f ON true`;

/** A condition and its values, numbered from `$1`. */
export function conditions(filter: ObjectFilter): { readonly where: string; readonly values: unknown[] } {
  const values: unknown[] = [];
  const parts = ['o.folded_into IS NULL'];
  const add = (sql: (place: string) => string, value: unknown): void => {
    if (value === undefined) return;
    values.push(value);
    parts.push(sql(`$${values.length}`));
  };
  add((place) => `o.bucket = ${place}`, filter.bucket);
  add((place) => `o.key = ${place}`, filter.key);
  add((place) => `o.key LIKE ${place}`, filter.prefix === undefined ? undefined : likePrefix(filter.prefix));
  const [only] = filter.verdicts ?? [];
  if (filter.verdicts?.length === 1) add((place) => `o.verdict = ${place}`, only);
  else add((place) => `o.verdict = ANY (${place})`, filter.verdicts);
  add((place) => `o.first_seen_at >= ${place}`, filter.from);
  add((place) => `o.first_seen_at < ${place}`, filter.to);
  return { where: parts.join(' AND '), values };
}

const likePrefix = (prefix: string): string => `${prefix.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;

/** The statement of {@link listObjects}, apart so that a test can EXPLAIN it. */
export function listStatement(
  filter: ObjectFilter,
  page: { readonly after?: Place | undefined; readonly limit: number },
): { readonly text: string; readonly values: unknown[] } {
  const { where, values } = conditions(filter);
  const bind = (value: unknown): string => `$${values.push(value)}`;
  const after =
    page.after === undefined
      ? ''
      : `AND (o.first_seen_at, o.id) < (${bind(page.after.at)}::bigint, ${bind(page.after.id)}::uuid)`;
  const text = `
    SELECT ${COLUMNS} FROM ${FROM}
     WHERE ${where} ${after}
     ORDER BY o.first_seen_at DESC, o.id DESC LIMIT ${bind(page.limit)}`;
  return { text, values };
}

/** Object versions, last seen first. */
export function listObjects(
  db: Queryable,
  filter: ObjectFilter,
  page: { readonly after?: Place | undefined; readonly limit: number },
): Promise<ObjectRow[]> {
  const { text, values } = listStatement(filter, page);
  return db.query<ObjectRow>(text, values);
}

/** One object version, folded or not. */
export async function findObject(db: Queryable, id: string): Promise<ObjectRow | undefined> {
  const [row] = await db.query<ObjectRow>(`SELECT ${COLUMNS} FROM ${FROM} WHERE o.id = $1`, [id]);
  return row;
}

/** How many object versions have each verdict. */
export function countVerdicts(
  db: Queryable,
  filter: ObjectFilter,
): Promise<{ readonly verdict: Verdict; readonly count: number }[]> {
  const { where, values } = conditions(filter);
  return db.query(
    `SELECT o.verdict, count(*)::int AS count FROM object_version o WHERE ${where} GROUP BY o.verdict`,
    values,
  );
}

/** How many of them a release wrote: copies of what was uploaded before, and no uploads. */
export async function countReleased(db: Queryable, filter: ObjectFilter): Promise<number> {
  const { where, values } = conditions(filter);
  const [row] = await db.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM object_version o
      WHERE ${where} AND o.verdict = 'skipped' AND EXISTS (SELECT FROM released_object w WHERE ${WROTE})`,
    values,
  );
  return row?.count ?? 0;
}
