import type { Queryable } from '../../database/queryable.js';
import type { Finding } from '../ledger.js';
import { storableText } from '../text.js';

export interface ReplaceFindings {
  readonly scanId: string;
  readonly objectId: string;
  readonly kind: 'secrets' | 'malware';
  readonly findings: readonly Finding[];
  readonly total: number;
  /** Empty for our own scanners. */
  readonly source: string;
}

// The ledger explains a verdict; the thousandth leak of one file explains nothing more.
const MAX_KEPT = 1000;

/** Puts one kind's findings of a scan in the place of what an earlier attempt wrote. */
export async function replaceFindings(tx: Queryable, args: ReplaceFindings): Promise<void> {
  const stored = storedKind(args.kind);
  await tx.query('DELETE FROM finding WHERE scan_id = $1 AND kind = $2 AND source = $3', [
    args.scanId,
    stored,
    args.source,
  ]);
  const kept = args.findings.slice(0, MAX_KEPT).map(storable);
  await tx.query(
    `INSERT INTO finding (scan_id, object_id, kind, rule_id, title, severity, confidence, path, line, "column",
                          byte_offset, excerpt, fingerprint, remediation, accepted, accepted_reason,
                          verified, verified_at, source, exception_id)
     SELECT $1, $2, $3, f."ruleId", f.title, f.severity, f.confidence, f.path, f.line, f."column",
            f."byteOffset", f.excerpt, f.fingerprint, f.remediation,
            f.accepted IS NOT NULL, f.accepted, f.verified, f."verifiedAt", $5, f."exceptionId"
       FROM json_to_recordset($4::json) AS f ("ruleId" text, title text, severity text, confidence text,
            path text, line int, "column" int, "byteOffset" bigint, excerpt text, fingerprint text,
            remediation text, accepted text, verified text, "verifiedAt" bigint, "exceptionId" uuid)`,
    [args.scanId, args.objectId, stored, JSON.stringify(kept), args.source],
  );
  // What others found is all kept, or refused.
  if (args.source !== '') return;
  await tx.query(
    args.kind === 'secrets'
      ? 'UPDATE scan SET secrets_total = $2 WHERE id = $1'
      : 'UPDATE scan SET malware_total = $2 WHERE id = $1',
    [args.scanId, Math.min(args.total, 2_147_483_647)],
  );
}

/**
 * The same where nothing was found, as with most objects: one statement for many scans, each of which is named once.
 *
 * @returns the scans that are known.
 */
export async function clearFindings(
  db: Queryable,
  cleared: readonly Pick<ReplaceFindings, 'scanId' | 'kind'>[],
): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ id: string }>(CLEAR, [
    cleared.map(({ scanId }) => scanId),
    cleared.map(({ kind }) => storedKind(kind)),
  ]);
  return new Set(rows.map(({ id }) => id));
}

const CLEAR = `
  WITH c AS MATERIALIZED (SELECT * FROM unnest($1::uuid[], $2::text[]) AS c (scan_id, kind)),
  gone AS (DELETE FROM finding f USING c WHERE f.scan_id = c.scan_id AND f.kind = c.kind AND f.source = ''),
  counted AS (
    UPDATE scan s SET secrets_total = CASE c.kind WHEN 'secret' THEN 0 ELSE s.secrets_total END,
                      malware_total = CASE c.kind WHEN 'malware' THEN 0 ELSE s.malware_total END
      FROM c
     WHERE s.id = c.scan_id AND CASE c.kind WHEN 'secret' THEN s.secrets_total ELSE s.malware_total END <> 0)
  SELECT s.id FROM c JOIN scan s ON s.id = c.scan_id`;

const storedKind = (kind: ReplaceFindings['kind']): string => (kind === 'secrets' ? 'secret' : 'malware');

// A line number beyond PostgreSQL's int belongs to no file that anybody opens; the byte offset still tells the place.
const int = (value: number | undefined) =>
  value !== undefined && Number.isInteger(value) && value <= 2_147_483_647 ? value : undefined;

const storable = (finding: Finding) => ({
  ruleId: storableText(finding.ruleId, 300),
  title: storableText(finding.title, 500),
  severity: finding.severity,
  confidence: finding.confidence,
  path: storableText(finding.path, 4000),
  line: int(finding.line),
  column: int(finding.column),
  byteOffset: finding.byteOffset,
  excerpt: finding.excerpt === undefined ? undefined : storableText(finding.excerpt, 1000),
  fingerprint: storableText(finding.fingerprint, 300),
  remediation: finding.remediation === undefined ? undefined : storableText(finding.remediation, 2000),
  accepted: finding.accepted === undefined ? undefined : storableText(finding.accepted, 1000),
  exceptionId: finding.exceptionId,
  verified: finding.verified?.state,
  verifiedAt: finding.verified?.at,
});
