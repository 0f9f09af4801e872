import type { Instant } from '../../clock.js';
import { insertAudit } from '../../audit/audit.js';
import type { Queryable } from '../../database/queryable.js';
import type { VerdictRecord } from '../ledger.js';
import { storableJson, storableText } from '../text.js';

/** A verdict about an object; without a scan where none was needed to say it. */
export interface NewVerdict extends Omit<VerdictRecord, 'workflowId'> {
  readonly objectId: string;
  readonly scanId?: string | undefined;
  /** 0 without a scan. */
  readonly generation: number;
  readonly workflowId?: string | undefined;
  readonly at: Instant;
  /** As in AuditEvent. */
  readonly actor: string;
}

// A hostile archive has as many gaps as members; this many explain themselves.
const MAX_GAPS = 200;

/**
 * Appends the verdict with its audit event; the object's current one follows unless a newer generation spoke, and its
 * scan is judged. What its scan said last is not said again. The caller holds the object's row.
 */
export const appendVerdict = (tx: Queryable, verdict: NewVerdict): Promise<void> =>
  appendVerdicts(tx, [verdict]);

/** The same for verdicts about different objects, in one statement. */
export async function appendVerdicts(tx: Queryable, verdicts: readonly NewVerdict[]): Promise<void> {
  if (verdicts.length === 0) return;
  await tx.query(APPEND, [storableJson(verdicts.map(rowOf))]);
}

const APPEND = `
  WITH v AS (
    SELECT * FROM json_to_recordset($1::json) AS v (object_id uuid, scan_id uuid, generation int, verdict text,
           reason text, detail text, required text[], engines json, bytes_scanned bigint, bytes_total bigint, sha256 text,
           not_covered json, workflow_id text, at bigint, actor text, told json)),
  said AS (
    INSERT INTO verdict (object_id, scan_id, generation, verdict, reason, detail, required, engines, bytes_scanned,
                         bytes_total, sha256, not_covered, workflow_id, at)
    SELECT object_id, scan_id, generation, verdict, reason, detail, required, engines, bytes_scanned,
           bytes_total, sha256, not_covered, workflow_id, at
      FROM v
     WHERE NOT EXISTS (
       SELECT FROM (
         SELECT l.verdict, l.reason FROM verdict l
          WHERE l.object_id = v.object_id AND l.scan_id = v.scan_id ORDER BY l.id DESC LIMIT 1) last
        WHERE last.verdict = v.verdict AND last.reason = v.reason)
    RETURNING id, object_id, scan_id, generation, verdict, at),
  judged AS (
    UPDATE scan SET verdict_at = coalesce(scan.verdict_at, said.at) FROM said WHERE scan.id = said.scan_id),
  told AS (
    ${insertAudit({
      at: 'v.at',
      actor: 'v.actor',
      action: `'object.verdict'`,
      subject: `'object:' || v.object_id`,
      data: 'v.told',
      from: 'said JOIN v ON v.object_id = said.object_id',
    })})
  UPDATE object_version o SET verdict = said.verdict, verdict_id = said.id, verdict_generation = said.generation
    FROM said WHERE o.id = said.object_id AND o.verdict_generation <= said.generation`;

const rowOf = (verdict: NewVerdict) => ({
  object_id: verdict.objectId,
  scan_id: verdict.scanId,
  generation: verdict.generation,
  verdict: verdict.verdict,
  reason: storableText(verdict.reason, 200),
  detail: verdict.detail === undefined ? undefined : storableText(verdict.detail, 2000),
  required: verdict.required,
  engines: verdict.engines,
  bytes_scanned: verdict.bytesScanned,
  bytes_total: verdict.bytesTotal,
  sha256: verdict.sha256,
  not_covered: verdict.notCovered.slice(0, MAX_GAPS).map((gap) => ({
    path: storableText(gap.path, 2000),
    reason: gap.reason,
    ...(gap.detail !== undefined && { detail: storableText(gap.detail, 500) }),
  })),
  workflow_id: verdict.workflowId,
  at: verdict.at,
  actor: verdict.actor,
  told: toldOf(verdict),
});

/** What the audit keeps of a verdict. */
const toldOf = (verdict: NewVerdict) => ({
  verdict: verdict.verdict,
  reason: verdict.reason,
  generation: verdict.generation,
  ...(verdict.scanId !== undefined && { scanId: verdict.scanId }),
  ...(verdict.workflowId !== undefined && { workflowId: verdict.workflowId }),
  ...(verdict.required !== undefined && { required: verdict.required }),
  bytesScanned: verdict.bytesScanned,
  bytesTotal: verdict.bytesTotal,
  ...(verdict.sha256 !== undefined && { sha256: verdict.sha256 }),
  engines: verdict.engines.map((engine) => `${engine.name} ${engine.version}`),
});
