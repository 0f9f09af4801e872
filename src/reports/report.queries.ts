import type { Queryable } from '../database/queryable.js';
import type { Instant } from '../clock.js';
import { LISTED_ROWS, type ReportData } from './report-data.js';

const iso = (at: string | number): string => new Date(Number(at)).toISOString();

/** Reviews opened and decided in [from, to), and those open when the period ended. */
export async function reviewBalance(
  db: Queryable,
  from: Instant,
  to: Instant,
): Promise<ReportData['reviews']> {
  const [row] = await db.query<{ opened: string; decided: string; open: string; oldest: string | null }>(
    `SELECT count(*) FILTER (WHERE created_at >= $1 AND created_at < $2) AS opened,
            count(*) FILTER (WHERE decided_at >= $1 AND decided_at < $2) AS decided,
            count(*) FILTER (WHERE created_at < $2 AND coalesce(decided_at, cancelled_at, $2) >= $2) AS open,
            min(created_at) FILTER (WHERE created_at < $2 AND coalesce(decided_at, cancelled_at, $2) >= $2) AS oldest
     FROM review`,
    [from, to],
  );
  const oldest = row?.oldest ?? null;
  return {
    opened: Number(row?.opened ?? 0),
    decided: Number(row?.decided ?? 0),
    openAtEnd: Number(row?.open ?? 0),
    oldestOpenSince: oldest === null ? null : iso(oldest),
  };
}

/** Findings of the newest scan of each upload of the period, by rule, most first. */
export async function findingsByRule(
  db: Queryable,
  from: Instant,
  to: Instant,
): Promise<ReportData['findingsByRule']> {
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
): Promise<Pick<ReportData, 'decisions' | 'decisionsTotal'>> {
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
     LIMIT ${LISTED_ROWS}`,
    [from, to],
  );
  const decisions = rows.map((row) => ({
    reviewId: row.review_id,
    object: row.object,
    outcome: row.outcome,
    by: row.decided_by,
    at: iso(row.at),
    reason: row.reason,
  }));
  return { decisions, decisionsTotal: Number(rows[0]?.total ?? 0) };
}

/** Uploads of the period that are not clean, worst first, and how many there are. */
export async function uploadsNotClean(
  db: Queryable,
  from: Instant,
  to: Instant,
): Promise<Pick<ReportData, 'notClean' | 'notCleanTotal'>> {
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
     WHERE o.first_seen_at >= $1 AND o.first_seen_at < $2 AND o.folded_into IS NULL AND o.verdict <> 'clean'
     ORDER BY array_position(ARRAY['infected','secrets','failed','suspicious','encrypted','incomplete','unsupported','denied','archived','pending','superseded','gone','skipped'], o.verdict),
              o.first_seen_at, o.id
     LIMIT ${LISTED_ROWS}`,
    [from, to],
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
  return { notClean, notCleanTotal: Number(rows[0]?.total ?? 0) };
}

/** Which engines, in which versions, stand behind the verdicts given in the period. */
export async function enginesUsed(db: Queryable, from: Instant, to: Instant): Promise<ReportData['engines']> {
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
