import { randomUUID } from 'node:crypto';
import { appendAudit } from '../../audit/audit.js';
import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import { insertMessages } from '../../outbound/sql/insert-messages.js';

interface Returned {
  readonly id: string;
  readonly fingerprint: string;
  readonly title: string;
  readonly owner: readonly string[];
  readonly due_days: number;
  readonly escalate_to: readonly string[];
  readonly is_open: boolean;
}

/**
 * What was remedied and is found again by a scan that began later is open again: in the transaction that records the
 * findings. What somebody answers for did not come back. Of one fingerprint one remedy is followed at a time.
 */
export async function remediesReturned(
  tx: Queryable,
  {
    scanId,
    kind,
    now,
  }: { readonly scanId: string; readonly kind: 'secret' | 'malware'; readonly now: Instant },
): Promise<void> {
  const rows = await tx.query<Returned>(
    `WITH f AS (
       SELECT DISTINCT fingerprint FROM finding
        WHERE scan_id = $1 AND kind = $2 AND source = '' AND NOT accepted)
     UPDATE remedy r SET state = 'RETURNED', returned_at = $3
       FROM f, scan s JOIN object_version o ON o.id = s.object_id
      WHERE s.id = $1 AND r.state = 'REMEDIED' AND r.fingerprint = f.fingerprint AND r.finding_kind = $2
        AND s.started_at > r.remedied_at
        -- A signature's name is the same in every file.
        AND ($2 = 'secret' OR (r.endpoint_id, r.bucket, r.key) = (o.endpoint_id, o.bucket, o.key))
     RETURNING r.id, r.fingerprint, r.finding_title AS title, r.owner, r.due_days, r.escalate_to,
               EXISTS (SELECT FROM remedy n WHERE n.fingerprint = r.fingerprint AND n.state = 'OPEN') AS is_open`,
    [scanId, kind, now],
  );
  if (rows.length === 0) return;
  await appendAudit(
    tx,
    rows.map(({ id, fingerprint }) => ({
      at: now,
      actor: 'system:remedies',
      action: 'remedy.returned',
      subject: `remedy:${id}`,
      data: { fingerprint, scanId },
    })),
  );
  const one = new Map(rows.filter((row) => !row.is_open).map((row) => [row.fingerprint, row]));
  await insertMessages(
    tx,
    [...one.values()].map((row) => ({
      kind: 'findings.start',
      key: randomUUID(),
      payload: {
        name: 'finding_review',
        createdBy: 'system:remedies',
        input: {
          scanId,
          fingerprint: row.fingerprint,
          title: `Is it real? ${row.title}`,
          owner: row.owner,
          dueDays: row.due_days,
          escalateTo: row.escalate_to,
          follows: row.id,
          confirmed: 'yes',
        },
      },
    })),
    now,
  );
}
