import type { Instant } from '../../clock.js';
import { appendAudit } from '../../audit/audit.js';
import type { Queryable } from '../../database/queryable.js';
import type { VerdictRecord } from '../ledger.js';
import { storableText } from '../text.js';

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

/** Appends the verdict with its audit event; the object's current one follows unless a newer generation spoke. */
export async function appendVerdict(tx: Queryable, verdict: NewVerdict): Promise<void> {
  const gaps = verdict.notCovered.slice(0, MAX_GAPS).map((gap) => ({
    path: storableText(gap.path, 2000),
    reason: gap.reason,
    ...(gap.detail !== undefined && { detail: storableText(gap.detail, 500) }),
  }));
  const [row] = await tx.query<{ id: string }>(
    `INSERT INTO verdict (object_id, scan_id, generation, verdict, reason, detail, engines, bytes_scanned,
                          bytes_total, sha256, not_covered, workflow_id, at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id`,
    [
      verdict.objectId,
      verdict.scanId ?? null,
      verdict.generation,
      verdict.verdict,
      storableText(verdict.reason, 200),
      verdict.detail === undefined ? null : storableText(verdict.detail, 2000),
      JSON.stringify(verdict.engines),
      verdict.bytesScanned,
      verdict.bytesTotal,
      verdict.sha256 ?? null,
      JSON.stringify(gaps),
      verdict.workflowId ?? null,
      verdict.at,
    ],
  );
  await tx.query(
    `UPDATE object_version SET verdict = $2, verdict_id = $3, verdict_generation = $4
      WHERE id = $1 AND verdict_generation <= $4`,
    [verdict.objectId, verdict.verdict, row?.id, verdict.generation],
  );
  await appendAudit(tx, [
    {
      at: verdict.at,
      actor: verdict.actor,
      action: 'object.verdict',
      subject: `object:${verdict.objectId}`,
      data: {
        verdict: verdict.verdict,
        reason: verdict.reason,
        generation: verdict.generation,
        ...(verdict.scanId !== undefined && { scanId: verdict.scanId }),
        ...(verdict.workflowId !== undefined && { workflowId: verdict.workflowId }),
        bytesScanned: verdict.bytesScanned,
        bytesTotal: verdict.bytesTotal,
        ...(verdict.sha256 !== undefined && { sha256: verdict.sha256 }),
        engines: verdict.engines.map((engine) => `${engine.name} ${engine.version}`),
      },
    },
  ]);
}
