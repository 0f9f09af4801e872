import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';
import { START_WORKFLOW } from '../../start-workflow.handler.js';

/** An object version in quarantine, or one that was there, with what was asked about it last. */
export interface QuarantinedVersion {
  readonly objectId: string;
  readonly bucket: string;
  readonly key: string;
  /** The scan that moved it; absent when none did. */
  readonly scanId: string | null;
  readonly state: string | null;
  /** The verdict that it went for. */
  readonly verdict: string;
  readonly isClosed: boolean;
  /** A review of one of its scans that still waits. */
  readonly openReviewId: string | null;
  readonly release: {
    readonly workflowId: string;
    readonly askedBy: string;
    readonly askedAt: Instant;
    /** Its workflow is on its way to the engine. */
    readonly isStarting: boolean;
  } | null;
}

/** `undefined` for an object that the ledger does not know. */
export async function quarantinedVersion(
  db: Queryable,
  objectId: string,
): Promise<QuarantinedVersion | undefined> {
  const [row] = await db.query<QuarantinedVersion>(
    `SELECT o.id AS "objectId", o.bucket, o.key, q.scan_id AS "scanId", q.state,
            coalesce(judged.verdict, o.verdict) AS verdict, (q.scan_id IS NULL OR q.closed_at IS NOT NULL) AS "isClosed",
            (SELECT r.id::text FROM review r JOIN scan rs ON rs.id::text = r.scan_id
              WHERE rs.object_id = o.id AND r.state NOT IN ('COMPLETED', 'EXPIRED', 'SKIPPED', 'CANCELLED')
              LIMIT 1) AS "openReviewId",
            CASE WHEN q.release_workflow_id IS NOT NULL THEN json_build_object(
              'workflowId', q.release_workflow_id, 'askedBy', q.release_asked_by, 'askedAt', q.release_asked_at,
              'isStarting', EXISTS (SELECT FROM outbox x WHERE x.kind = $2 AND x.key = q.release_workflow_id
                                      AND x.state IN ('pending', 'sending', 'ambiguous'))) END AS release
       FROM object_version o
       LEFT JOIN LATERAL (
         SELECT q.*, s.closed_at FROM scan s JOIN quarantined_object q ON q.scan_id = s.id::text
          WHERE s.object_id = o.id ORDER BY q.state IN ('moved', 'copied') DESC, q.updated_at DESC LIMIT 1) q ON true
       LEFT JOIN LATERAL (
         SELECT v.verdict FROM verdict v WHERE v.object_id = o.id AND v.scan_id = q.scan_id::uuid
          ORDER BY v.id DESC LIMIT 1) judged ON true
      WHERE o.id = $1`,
    [objectId, START_WORKFLOW],
  );
  return row;
}

/**
 * Says that a workflow asks about it now.
 *
 * @param before the workflow that asked last, which is over; whoever asked meanwhile was first.
 * @returns whether this one is it.
 */
export async function markAsked(
  tx: Queryable,
  asked: {
    readonly scanId: string;
    readonly before: string | undefined;
    readonly workflowId: string;
    readonly by: string;
    readonly now: Instant;
  },
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE quarantined_object
        SET release_workflow_id = $3, release_asked_by = $4, release_asked_at = $5
      WHERE scan_id = $1 AND state IN ('copied', 'moved') AND release_workflow_id IS NOT DISTINCT FROM $2
      RETURNING scan_id`,
    [asked.scanId, asked.before ?? null, asked.workflowId, asked.by, Math.round(asked.now)],
  );
  return rows.length > 0;
}
