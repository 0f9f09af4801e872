import type { Queryable } from '../../database/queryable.js';
import { gapsOf } from '../../verdicts/gaps.js';
import type { Finding, NotCovered } from '../../verdicts/ledger.js';

interface FindingRow {
  readonly kind: Finding['kind'];
  readonly rule_id: string;
  readonly title: string;
  readonly severity: Finding['severity'];
  readonly confidence: Finding['confidence'];
  readonly path: string;
  readonly line: number | null;
  readonly column: number | null;
  readonly byte_offset: number | null;
  readonly excerpt: string | null;
  readonly fingerprint: string;
  readonly remediation: string | null;
  readonly accepted_reason: string | null;
  readonly verified: 'active' | 'inactive' | 'unknown' | null;
  readonly verified_at: number | null;
}

/** The worst findings of one scan, masked as the scanner stored them; those that count for nothing come last. */
export async function worstFindings(db: Queryable, scanId: string, limit: number): Promise<Finding[]> {
  const rows = await db.query<FindingRow>(
    `SELECT kind, rule_id, title, severity, confidence, path, line, "column", byte_offset::float8, excerpt,
            fingerprint, remediation, accepted_reason, verified, verified_at::float8
     FROM finding WHERE scan_id = $1
     ORDER BY accepted, array_position('{critical,high,medium,low}'::text[], severity),
              array_position('{high,medium,low}'::text[], confidence), id
     LIMIT $2`,
    [scanId, limit],
  );
  return rows.map((row) => ({
    kind: row.kind,
    ruleId: row.rule_id,
    title: row.title,
    severity: row.severity,
    confidence: row.confidence,
    path: row.path,
    fingerprint: row.fingerprint,
    ...(row.line === null ? {} : { line: row.line }),
    ...(row.column === null ? {} : { column: row.column }),
    ...(row.byte_offset === null ? {} : { byteOffset: row.byte_offset }),
    ...(row.excerpt === null ? {} : { excerpt: row.excerpt }),
    ...(row.remediation === null ? {} : { remediation: row.remediation }),
    ...(row.accepted_reason === null ? {} : { accepted: row.accepted_reason }),
    ...(row.verified === null ? {} : { verified: { state: row.verified, at: row.verified_at ?? 0 } }),
  }));
}

/** What identifies everything that was found, and what the verdict says of the scan. */
export async function scanEssence(
  db: Queryable,
  scanId: string,
): Promise<{
  fingerprints: string[];
  total: number;
  sha256?: string;
  engines: string[];
  /** That the bucket required to be looked at. */
  notCovered: readonly NotCovered[];
  bytes?: { scanned: number; total: number };
}> {
  const [row] = await db.query<{
    fingerprints: string[] | null;
    total: number;
    sha256: string | null;
    engines: { name: string; version: string }[] | null;
    verdict: string | null;
    required: string[] | null;
    not_covered: NotCovered[] | null;
    bytes_scanned: number | null;
    bytes_total: number | null;
  }>(
    `SELECT (SELECT array_agg(DISTINCT fingerprint ORDER BY fingerprint) FROM finding WHERE scan_id = s.id) AS fingerprints,
            (s.secrets_total::bigint + s.malware_total
             + (SELECT count(*) FROM finding
                 WHERE scan_id = s.id AND (source <> '' OR fingerprint LIKE 'external:%')))::float8 AS total,
            v.sha256, v.engines, v.verdict, v.required, v.not_covered,
            v.bytes_scanned::float8, v.bytes_total::float8
     FROM scan s LEFT JOIN LATERAL (
       SELECT sha256, engines, verdict, required, not_covered, bytes_scanned, bytes_total FROM verdict
       WHERE object_id = s.object_id AND scan_id = s.id ORDER BY id DESC LIMIT 1) v ON true
     WHERE s.id = $1`,
    [scanId],
  );
  const verdict = row?.verdict ?? '';
  const [scanned, total] = [row?.bytes_scanned, row?.bytes_total];
  const isMeasured = scanned != null && total != null && !verdict.startsWith('clean');
  return {
    fingerprints: row?.fingerprints ?? [],
    total: row?.total ?? 0,
    notCovered: gapsOf({ verdict, required: row?.required ?? null, notCovered: row?.not_covered ?? [] }),
    ...(isMeasured ? { bytes: { scanned, total } } : {}),
    engines: (row?.engines ?? []).map((engine) => `${engine.name} ${engine.version}`),
    ...(row?.sha256 == null ? {} : { sha256: row.sha256 }),
  };
}

/** The last verdict on an object and the scan that gave it; `undefined` when none was given. */
export async function latestVerdict(
  db: Queryable,
  objectId: string,
): Promise<{ scanId: string; verdict: string; reason: string } | undefined> {
  const [row] = await db.query<{ scan_id: string; verdict: string; reason: string | null }>(
    'SELECT scan_id, verdict, reason FROM verdict WHERE object_id = $1 ORDER BY id DESC LIMIT 1',
    [objectId],
  );
  return row && { scanId: row.scan_id, verdict: row.verdict, reason: row.reason ?? '' };
}
