import type { Queryable } from '../../database/queryable.js';
import type { Finding } from '../ledger.js';
import { storableText } from '../text.js';

export interface ReplaceFindings {
  readonly scanId: string;
  readonly objectId: string;
  readonly kind: 'secrets' | 'malware';
  readonly findings: readonly Finding[];
  readonly total: number;
}

// The ledger explains a verdict; the thousandth leak of one file explains nothing more.
const MAX_KEPT = 1000;

/** Puts one kind's findings of a scan in the place of what an earlier attempt wrote. */
export async function replaceFindings(tx: Queryable, args: ReplaceFindings): Promise<void> {
  const stored = storedKind(args.kind);
  await tx.query('DELETE FROM finding WHERE scan_id = $1 AND kind = $2', [args.scanId, stored]);
  const kept = args.findings.slice(0, MAX_KEPT).map(storable);
  await tx.query(
    `INSERT INTO finding (scan_id, object_id, kind, rule_id, title, severity, confidence, path, line, "column",
                          byte_offset, excerpt, fingerprint, remediation)
     SELECT $1, $2, $3, f."ruleId", f.title, f.severity, f.confidence, f.path, f.line, f."column",
            f."byteOffset", f.excerpt, f.fingerprint, f.remediation
       FROM json_to_recordset($4::json) AS f ("ruleId" text, title text, severity text, confidence text,
            path text, line int, "column" int, "byteOffset" bigint, excerpt text, fingerprint text,
            remediation text)`,
    [args.scanId, args.objectId, stored, JSON.stringify(kept)],
  );
  await tx.query(
    args.kind === 'secrets'
      ? 'UPDATE scan SET secrets_total = $2 WHERE id = $1'
      : 'UPDATE scan SET malware_total = $2 WHERE id = $1',
    [args.scanId, Math.min(args.total, 2_147_483_647)],
  );
}

/**
 * The same where nothing was found, as with most objects: one statement.
 *
 * @returns whether the scan is known.
 */
export async function clearFindings(
  db: Queryable,
  scanId: string,
  kind: ReplaceFindings['kind'],
): Promise<boolean> {
  const total = kind === 'secrets' ? 'secrets_total' : 'malware_total';
  const rows = await db.query(
    `WITH gone AS (DELETE FROM finding WHERE scan_id = $1 AND kind = $2),
          counted AS (UPDATE scan SET ${total} = 0 WHERE id = $1 AND ${total} <> 0)
     SELECT id FROM scan WHERE id = $1`,
    [scanId, storedKind(kind)],
  );
  return rows.length > 0;
}

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
});
