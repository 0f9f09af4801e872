import type { Instant } from '../clock.js';
import type { Queryable } from '../database/queryable.js';
import { WROTE } from './sql/release-of.js';
import { CLEAN_VERDICTS, type Verdict } from './verdict.js';

/** Copies that a release wrote, counted from two tables. */
export interface Copies {
  readonly opened: number;
  readonly accountedFor: number;
}

/** What a period's uploads came to. `uploaded` and the verdicts are counted from different tables. */
export interface Coverage {
  /** Object versions that were uploaded in the period: those that events or requests opened, less the folded ones and the copies. */
  readonly uploaded: number;
  /** Copies that a release wrote, which nobody uploaded: those that events or requests opened, and those that have a verdict. */
  readonly copies: Copies;
  /** Rows that inspection found to be another row's bytes; in neither count. */
  readonly folded: number;
  /** Current verdict of each upload first seen in the period; `pending` where none was spoken yet. */
  readonly verdicts: Readonly<Partial<Record<Verdict, number>>>;
}

/**
 * Coverage of what was first seen in [from, to).
 *
 * All counts come from one statement and so from one moment: without that, an upload between two of them would make
 * the equation fail for no fault.
 */
export async function coverage(db: Queryable, from: Instant, to: Instant): Promise<Coverage> {
  const rows = await db.query<{
    verdict: Verdict | null;
    is_copy: boolean | null;
    opened: number;
    folded: number;
    copies: number;
    count: number;
  }>(
    `WITH copy AS MATERIALIZED (
       SELECT DISTINCT o.id FROM released_object w JOIN object_version o ON ${WROTE}
        WHERE o.verdict = 'skipped' AND o.folded_into IS NULL
     ), opened AS (
       SELECT (SELECT count(*) FROM intake_event
                WHERE opened_object AND received_at >= $1 AND received_at < $2)
            + (SELECT count(*) FROM scan
                WHERE opened_object AND requested_at >= $1 AND requested_at < $2) AS count
     ), folded AS (
       SELECT count(*) FROM object_version
        WHERE folded_into IS NOT NULL AND first_seen_at >= $1 AND first_seen_at < $2
     ), copies AS (
       SELECT count(*) FROM copy
        WHERE EXISTS (SELECT FROM intake_event e
                       WHERE e.object_id = copy.id AND e.opened_object AND e.received_at >= $1 AND e.received_at < $2)
           OR EXISTS (SELECT FROM scan s
                       WHERE s.object_id = copy.id AND s.opened_object AND s.requested_at >= $1 AND s.requested_at < $2)
     ), spoken AS (
       SELECT coalesce(v.verdict, 'pending') AS verdict, copy.id IS NOT NULL AS is_copy, count(*)
         FROM object_version o LEFT JOIN copy ON copy.id = o.id LEFT JOIN LATERAL (
           SELECT verdict FROM verdict WHERE object_id = o.id ORDER BY generation DESC, id DESC LIMIT 1
         ) v ON true
        WHERE o.folded_into IS NULL AND o.first_seen_at >= $1 AND o.first_seen_at < $2
        GROUP BY 1, 2
     )
     SELECT spoken.verdict, spoken.is_copy, opened.count::int AS opened, folded.count::int AS folded, copies.count::int AS copies,
            coalesce(spoken.count, 0)::int AS count
       FROM opened CROSS JOIN folded CROSS JOIN copies LEFT JOIN spoken ON true`,
    [from, to],
  );
  const spoken = rows.filter((row) => row.verdict !== null);
  const uploads = spoken.filter((row) => row.is_copy !== true).map((row) => [row.verdict, row.count]);
  const { opened = 0, folded = 0, copies = 0 } = rows[0] ?? {};
  return {
    uploaded: opened - folded - copies,
    copies: {
      opened: copies,
      accountedFor: spoken.reduce((sum, row) => sum + (row.is_copy === true ? row.count : 0), 0),
    },
    folded,
    verdicts: Object.fromEntries(uploads),
  };
}

/** Findings of one rule and in how many objects. */
export interface RuleFindings {
  readonly kind: string;
  readonly ruleId: string;
  readonly title: string;
  readonly severity: string;
  readonly count: number;
  readonly objects: number;
}

/** A person's decision on an upload. */
export interface ReportedDecision {
  readonly reviewId: string;
  readonly object: string;
  readonly outcome: string;
  readonly by: string;
  readonly at: string;
  readonly reason: string;
}

/** An upload that did not end as clean, with the reason; an auditor samples from these first. */
export interface ReportedUpload {
  readonly objectId: string;
  readonly object: string;
  readonly verdict: string;
  readonly reason: string;
  readonly uploadedAt: string;
  readonly decision: string | null;
  readonly action: string | null;
}

/** An engine as it was when it looked, and behind how many verdicts it stands. */
export interface EngineUse {
  readonly name: string;
  readonly version: string;
  readonly database: string | null;
  readonly verdicts: number;
}

/** The first rows, and how many there are. */
export interface Listed<Row> {
  readonly rows: readonly Row[];
  readonly total: number;
}

const iso = (at: string | number): string => new Date(Number(at)).toISOString();

/** Findings of the newest scan of each upload of the period, by rule, most first. */
export async function findingsByRule(
  db: Queryable,
  from: Instant,
  to: Instant,
): Promise<readonly RuleFindings[]> {
  const rows = await db.query<{
    kind: string;
    rule_id: string;
    title: string;
    severity: string;
    count: string;
    objects: string;
  }>(
    `SELECT f.kind, f.rule_id, min(f.title) AS title, min(f.severity) AS severity, count(*) AS count, count(DISTINCT f.object_id) AS objects
     FROM object_version o
     JOIN scan s ON s.object_id = o.id AND s.generation = o.verdict_generation
     JOIN finding f ON f.scan_id = s.id
     WHERE o.first_seen_at >= $1 AND o.first_seen_at < $2 AND o.folded_into IS NULL
     GROUP BY f.kind, f.rule_id
     ORDER BY count(*) DESC, f.rule_id
     LIMIT 200`,
    [from, to],
  );
  return rows.map((row) => ({
    kind: row.kind,
    ruleId: row.rule_id,
    title: row.title,
    severity: row.severity,
    count: Number(row.count),
    objects: Number(row.objects),
  }));
}

/** The decisions of the period, oldest first, and how many there are. */
export async function decisionRegister(
  db: Queryable,
  from: Instant,
  to: Instant,
  limit: number,
): Promise<Listed<ReportedDecision>> {
  const rows = await db.query<{
    review_id: string;
    object: string;
    outcome: string;
    decided_by: string;
    at: string;
    reason: string;
    total: string;
  }>(
    `SELECT d.review_id, o.bucket || '/' || o.key AS object, d.outcome, d.decided_by, d.at, d.reason, count(*) OVER () AS total
     FROM object_decision d JOIN object_version o ON o.id = d.object_id
     WHERE d.at >= $1 AND d.at < $2
     ORDER BY d.at, d.review_id
     LIMIT $3`,
    [from, to, limit],
  );
  const decisions = rows.map((row) => ({
    reviewId: row.review_id,
    object: row.object,
    outcome: row.outcome,
    by: row.decided_by,
    at: iso(row.at),
    reason: row.reason,
  }));
  return { rows: decisions, total: Number(rows[0]?.total ?? 0) };
}

/** Uploads of the period that are not clean, worst first, and how many there are. */
export async function uploadsNotClean(
  db: Queryable,
  from: Instant,
  to: Instant,
  limit: number,
): Promise<Listed<ReportedUpload>> {
  const rows = await db.query<{
    id: string;
    object: string;
    verdict: string;
    reason: string | null;
    uploaded_at: string;
    decision: string | null;
    action: string | null;
    total: string;
  }>(
    `SELECT o.id, o.bucket || '/' || o.key AS object, o.verdict, v.reason, o.uploaded_at, o.decision,
            CASE WHEN o.action_performed THEN o.action END AS action, count(*) OVER () AS total
     FROM object_version o LEFT JOIN verdict v ON v.id = o.verdict_id
     WHERE o.first_seen_at >= $1 AND o.first_seen_at < $2 AND o.folded_into IS NULL AND NOT o.verdict = ANY ($4)
       AND NOT (o.verdict = 'skipped' AND EXISTS (SELECT FROM released_object w WHERE ${WROTE}))
     ORDER BY array_position(ARRAY['infected','secrets','failed','suspicious','encrypted','incomplete','unsupported','denied','archived','pending','superseded','gone','skipped'], o.verdict),
              o.first_seen_at, o.id
     LIMIT $3`,
    [from, to, limit, CLEAN_VERDICTS],
  );
  const notClean = rows.map((row) => ({
    objectId: row.id,
    object: row.object,
    verdict: row.verdict,
    reason: row.reason ?? '',
    uploadedAt: iso(row.uploaded_at),
    decision: row.decision,
    action: row.action,
  }));
  return { rows: notClean, total: Number(rows[0]?.total ?? 0) };
}

/** Which engines, in which versions, stand behind the verdicts given in the period. */
export async function enginesUsed(db: Queryable, from: Instant, to: Instant): Promise<readonly EngineUse[]> {
  const rows = await db.query<{ name: string; version: string; database: string | null; verdicts: string }>(
    `SELECT e->>'name' AS name, e->>'version' AS version, e->>'database' AS database, count(DISTINCT v.id) AS verdicts
     FROM verdict v CROSS JOIN LATERAL json_array_elements(v.engines) AS e
     WHERE v.at >= $1 AND v.at < $2
     GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT 100`,
    [from, to],
  );
  return rows.map((row) => ({
    name: row.name,
    version: row.version,
    database: row.database,
    verdicts: Number(row.verdicts),
  }));
}
