import type { Instant } from '../clock.js';
import type { Place } from '../cursor.js';
import type { Queryable } from '../database/queryable.js';
import type { Sums } from './arithmetic.js';
import type { ReportKind } from './data/report-data.js';
import { readingOfReport } from './sections/previous.js';
import { iso, isoOrNull } from './sections/section.js';

/** A report as the API lists it. */
export interface ReportSummary {
  readonly id: string;
  readonly kind: ReportKind;
  readonly label: string;
  readonly from: string;
  readonly to: string;
  /** `failed`: its workflow ended without it; retry that. */
  readonly status: 'pending' | 'ready' | 'failed';
  readonly scheduled: boolean;
  readonly requestedBy: string;
  readonly workflowId: string;
  readonly createdAt: string;
  readonly snapshotAt: string | null;
  readonly renderedAt: string | null;
  readonly mailedAt: string | null;
  /** Of its report.json. */
  readonly sha256: string | null;
  /** Of the manifest that is signed. */
  readonly manifestSha256: string | null;
  readonly coverage: Sums | null;
}

/** To whom a report was mailed, and what became of it. */
export interface ReportDelivery {
  readonly to: string;
  readonly state: string;
  readonly at: string | null;
  readonly reason: string | null;
}

/** One report with its files, its deliveries, and whether somebody read it. */
export interface ReportDetail extends ReportSummary {
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[];
  readonly deliveries: readonly ReportDelivery[];
  readonly reading: Awaited<ReturnType<typeof readingOfReport>>;
  readonly restated: readonly unknown[];
}

interface ReportRow {
  readonly id: string;
  readonly kind: ReportKind;
  readonly label: string;
  readonly period_from: string;
  readonly period_to: string;
  readonly status: 'pending' | 'ready' | 'failed';
  readonly scheduled: boolean;
  readonly requested_by: string;
  readonly workflow_id: string;
  readonly created_at: string;
  readonly snapshot_at: string | null;
  readonly rendered_at: string | null;
  readonly mailed_at: string | null;
  readonly sha256: string | null;
  readonly manifest_sha256: string | null;
  readonly coverage: Sums | null;
}

// A workflow that retention removed had ended well, or its report says so.
const STATUS = `CASE WHEN r.status = 'pending' AND EXISTS (
    SELECT FROM workflow w WHERE w.id = r.workflow_id AND w.status IN ('FAILED', 'TIMED_OUT', 'TERMINATED')
  ) THEN 'failed' ELSE r.status END`;
const SUMMARY = `r.id, r.kind, r.label, r.period_from, r.period_to, r.scheduled, r.requested_by, r.workflow_id, r.created_at,
  r.snapshot_at, r.rendered_at, r.mailed_at, r.sha256, r.manifest_sha256, r.coverage, ${STATUS} AS status`;

/** The newest first. */
export async function listReports(
  db: Queryable,
  limit: number,
  before: Place | undefined,
): Promise<ReportSummary[]> {
  const rows = await db.query<ReportRow>(
    `SELECT ${SUMMARY} FROM report r
      WHERE $2::bigint IS NULL OR (r.created_at, r.id) < ($2::bigint, $3::uuid)
      ORDER BY r.created_at DESC, r.id DESC LIMIT $1`,
    [limit, before?.at ?? null, before?.id ?? null],
  );
  return rows.map(toSummary);
}

export async function findReport(db: Queryable, id: string): Promise<ReportSummary | undefined> {
  const [row] = await db.query<ReportRow>(`SELECT ${SUMMARY} FROM report r WHERE r.id = $1`, [id]);
  return row && toSummary(row);
}

/** The key of the mail to one person. */
export const mailKey = (reportId: string, to: string): string => `report:${reportId}:${to}`;

export async function deliveriesOf(db: Queryable, reportId: string): Promise<ReportDelivery[]> {
  const rows = await db.query<{ key: string; state: string; at: string | null; reason: string | null }>(
    `SELECT key, state, ended_at AS at, reason FROM outbox
      WHERE kind = 'mail' AND key LIKE $1 ORDER BY key COLLATE "C" LIMIT 1000`,
    [`${mailKey(reportId, '')}%`],
  );
  return rows.map(({ key, state, at, reason }) => ({
    to: key.slice(mailKey(reportId, '').length),
    state,
    at: isoOrNull(at),
    reason,
  }));
}

/** The clock's last report of a kind. */
export async function lastScheduled(
  db: Queryable,
  kind: ReportKind,
): Promise<{ readonly to: Instant; readonly label: string } | undefined> {
  const [row] = await db.query<{ to: number; label: string }>(
    `SELECT period_to::float8 AS to, label FROM report WHERE scheduled AND kind = $1
      ORDER BY period_to DESC LIMIT 1`,
    [kind],
  );
  return row;
}

/** When the first event was recorded; of what was before nothing can be reported. */
export async function recordSince(db: Queryable): Promise<Instant | undefined> {
  const [row] = await db.query<{ at: number }>(
    'SELECT at::float8 AS at FROM audit_event ORDER BY id LIMIT 1',
  );
  return row?.at;
}

/** Reports whose workflow was never started, the oldest first. */
export const orphans = (
  db: Queryable,
): Promise<
  {
    readonly id: string;
    readonly kind: ReportKind;
    readonly label: string;
    readonly from: Instant;
    readonly to: Instant;
    readonly requestedBy: string;
  }[]
> =>
  db.query(
    `SELECT id, kind, label, period_from::float8 AS from, period_to::float8 AS to, requested_by AS "requestedBy"
       FROM report r WHERE status = 'pending' AND NOT EXISTS (SELECT FROM workflow w WHERE w.id = r.workflow_id)
      ORDER BY created_at, id LIMIT 100`,
  );

/** How many somebody asked for after this moment, how many of them are not ready yet, and when the first of them was. */
export async function askedByHand(
  tx: Queryable,
  after: Instant,
): Promise<{ readonly asked: number; readonly unfinished: number; readonly first: Instant | null }> {
  const [row] = await tx.query<{ asked: number; unfinished: number; first: number | null }>(
    `SELECT count(*)::int AS asked, count(*) FILTER (WHERE ${STATUS} = 'pending')::int AS unfinished,
            min(r.created_at)::float8 AS first
       FROM report r WHERE NOT r.scheduled AND r.created_at > $1`,
    [after],
  );
  return row ?? { asked: 0, unfinished: 0, first: null };
}

// One that does not get on keeps the later ones waiting so long; they then restate nothing of it.
const MOST_WAITED_MS = 86_400_000;

/** Whether one that must come first is still in the making: its figures are what this one restates. */
export async function waitsForEarlier(db: Queryable, id: string, now: Instant): Promise<boolean> {
  const rows = await db.query(
    `SELECT FROM report r JOIN report e ON e.scheduled AND e.kind = r.kind AND e.period_to <= r.period_from
       JOIN workflow w ON w.id = e.workflow_id AND w.status = 'RUNNING'
      WHERE r.id = $1 AND r.scheduled AND r.created_at > $2 AND e.figures IS NULL AND e.status = 'pending' LIMIT 1`,
    [id, now - MOST_WAITED_MS],
  );
  return rows.length > 0;
}

const toSummary = (row: ReportRow): ReportSummary => ({
  id: row.id,
  kind: row.kind,
  label: row.label,
  from: iso(row.period_from),
  to: iso(row.period_to),
  status: row.status,
  scheduled: row.scheduled,
  requestedBy: row.requested_by,
  workflowId: row.workflow_id,
  createdAt: iso(row.created_at),
  snapshotAt: isoOrNull(row.snapshot_at),
  renderedAt: isoOrNull(row.rendered_at),
  mailedAt: isoOrNull(row.mailed_at),
  sha256: row.sha256,
  manifestSha256: row.manifest_sha256,
  coverage: row.coverage,
});
