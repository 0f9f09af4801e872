import { z } from 'zod';
import { maybeIso } from '../object-view.js';
import { VERDICTS } from '../verdict.js';
import type { ExportedRow } from './sql/page-findings.js';

/** A finding as it is exported: where it stands, and never what it is. What is not known is null. */
export const FindingView = z
  .object({
    id: z.string(),
    objectId: z.uuid(),
    endpointId: z.string(),
    bucket: z.string(),
    key: z.string(),
    versionId: z.string().nullable(),
    verdict: z.enum(VERDICTS),
    scanId: z.uuid(),
    judgedAt: z.iso.datetime().nullable(),
    kind: z.enum(['secret', 'malware']),
    ruleId: z.string(),
    title: z.string(),
    severity: z.string(),
    confidence: z.string(),
    /** The member of an archive, `a.zip!inner.txt`; empty for the object itself. */
    path: z.string(),
    line: z.number().nullable(),
    /** In bytes of the line. */
    column: z.number().nullable(),
    /** Of the object, or of the member that `path` names. */
    byteOffset: z.number().nullable(),
    /** Masked. */
    excerpt: z.string().nullable(),
    fingerprint: z.string(),
    /** The scanner outside that found it; empty for our own. */
    source: z.string(),
    remediation: z.string().nullable(),
    /** The baseline or an exception answers for it: it did not count for the verdict. */
    accepted: z.boolean(),
    acceptedReason: z.string().nullable(),
    /** The exception that does. */
    exceptionId: z.uuid().nullable(),
    /** What its provider said of the secret; null when nobody asked. */
    verified: z.enum(['active', 'inactive', 'unknown']).nullable(),
    verifiedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Finding' });
export type FindingView = z.infer<typeof FindingView>;

export const FindingsPage = z
  .object({
    /** May be empty while there is a next page. */
    items: z.array(FindingView),
    /** Of one object: how many its scan counted; at most 1,000 of a kind are kept. */
    total: z.number().optional(),
    nextCursor: z.string().optional(),
  })
  .meta({ id: 'FindingsPage' });
export type FindingsPage = z.infer<typeof FindingsPage>;

export const findingView = (row: ExportedRow): FindingView => ({
  id: row.id,
  objectId: row.object_id,
  endpointId: row.endpoint_id,
  bucket: row.bucket,
  key: row.key,
  versionId: row.version_id,
  verdict: row.verdict,
  scanId: row.scan_id,
  judgedAt: maybeIso(row.judged_at),
  kind: row.kind,
  ruleId: row.rule_id,
  title: row.title,
  severity: row.severity,
  confidence: row.confidence,
  path: row.path,
  line: row.line,
  column: row.column,
  byteOffset: row.byte_offset,
  excerpt: row.excerpt,
  fingerprint: row.fingerprint,
  source: row.source,
  remediation: row.remediation,
  accepted: row.accepted,
  acceptedReason: row.accepted_reason,
  exceptionId: row.exception_id,
  verified: row.verified,
  verifiedAt: maybeIso(row.verified_at),
});
