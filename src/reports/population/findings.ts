import { findingView, type FindingView } from '../../verdicts/export/finding-view.js';
import type { ExportedRow } from '../../verdicts/export/sql/page-findings.js';
import { column, PAGE, paged, time, type Population } from './population.js';

/** A finding with the verdict that told of it. */
export interface FindingRow extends Omit<ExportedRow, 'judged_at'> {
  readonly verdict_id: string;
  /** When that verdict was given. */
  readonly at: number;
  readonly is_current: boolean;
}

const STATEMENT = `
  SELECT f.id, v.id AS verdict_id, v.at::float8 AS at, f.scan_id, f.object_id, o.endpoint_id, o.bucket, o.key, o.version_id,
         v.verdict, o.verdict_generation = v.generation AS is_current, f.kind, f.rule_id, f.title, f.severity, f.confidence,
         f.path, f.line, f."column", f.byte_offset::float8, f.excerpt, f.fingerprint, f.source, f.remediation, f.accepted,
         f.accepted_reason, f.exception_id, f.verified, f.verified_at::float8
    FROM verdict v JOIN finding f ON f.scan_id = v.scan_id JOIN object_version o ON o.id = f.object_id
   WHERE v.at >= $1 AND v.at < $2 AND (v.at, v.id) >= ($3, $4) AND (v.at, v.id, f.id) > ($3, $4, $5)
     AND o.folded_into IS NULL
     -- A scan that spoke twice tells of its findings once.
     AND NOT EXISTS (SELECT FROM verdict b
                      WHERE b.object_id = v.object_id AND b.generation = v.generation AND b.scan_id = v.scan_id AND b.id < v.id)
   ORDER BY v.at, v.id, f.id LIMIT $6`;

/** What each scan that was judged in the time found: masked, and where it stands. */
export const findings: Population<FindingRow> = {
  columns: [
    column('finding_id', (row) => row.id),
    column('object_id', (row) => row.object_id),
    column('endpoint', (row) => row.endpoint_id),
    column('bucket', (row) => row.bucket),
    column('key', (row) => row.key),
    column('version_id', (row) => row.version_id),
    column('scan_id', (row) => row.scan_id),
    column('judged_at', (row) => time(row.at)),
    column('verdict', (row) => row.verdict),
    column('is_of_current_scan', (row) => row.is_current),
    column('kind', (row) => row.kind),
    column('rule', (row) => row.rule_id),
    column('title', (row) => row.title),
    column('severity', (row) => row.severity),
    column('confidence', (row) => row.confidence),
    column('member', (row) => row.path),
    column('line', (row) => row.line),
    column('column', (row) => row.column),
    column('byte_offset', (row) => row.byte_offset),
    column('masked_excerpt', (row) => row.excerpt),
    column('fingerprint', (row) => row.fingerprint),
    column('scanner', (row) => row.source),
    column('is_accepted', (row) => row.accepted),
    column('accepted_reason', (row) => row.accepted_reason),
    column('exception_id', (row) => row.exception_id),
    column('verified', (row) => row.verified),
    column('verified_at', (row) => time(row.verified_at)),
  ],
  rows: (db, { from, to }) =>
    paged<FindingRow>((after) =>
      db.query(STATEMENT, [from, to, after?.at ?? -1, after?.verdict_id ?? 0, after?.id ?? 0, PAGE]),
    ),
};

/** The same as other exports have it. */
export const findingOf = (row: FindingRow): FindingView => findingView({ ...row, judged_at: row.at });
