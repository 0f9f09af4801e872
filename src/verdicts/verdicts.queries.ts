import type { Instant } from '../clock.js';
import type { Queryable } from '../database/queryable.js';
import type { Verdict } from './verdict.js';

/** What a period's uploads came to. `uploaded` and the verdicts are counted from different tables. */
export interface Coverage {
  /** Object versions that were uploaded in the period: those that events or requests opened, less the folded ones. */
  readonly uploaded: number;
  /** Rows that inspection found to be another row's bytes; in neither count. */
  readonly folded: number;
  /** Current verdict of each object version first seen in the period; `pending` where none was spoken yet. */
  readonly verdicts: Readonly<Partial<Record<Verdict, number>>>;
}

/**
 * Coverage of what was first seen in [from, to).
 *
 * All counts come from one statement and so from one moment: without that, an upload between two of them would make
 * the equation fail for no fault.
 */
export async function coverage(db: Queryable, from: Instant, to: Instant): Promise<Coverage> {
  const rows = await db.query<{ verdict: Verdict | null; opened: number; folded: number; count: number }>(
    `WITH opened AS (
       SELECT (SELECT count(*) FROM intake_event
                WHERE opened_object AND received_at >= $1 AND received_at < $2)
            + (SELECT count(*) FROM scan
                WHERE opened_object AND requested_at >= $1 AND requested_at < $2) AS count
     ), folded AS (
       SELECT count(*) FROM object_version
        WHERE folded_into IS NOT NULL AND first_seen_at >= $1 AND first_seen_at < $2
     ), spoken AS (
       SELECT coalesce(v.verdict, 'pending') AS verdict, count(*)
         FROM object_version o LEFT JOIN LATERAL (
           SELECT verdict FROM verdict WHERE object_id = o.id ORDER BY generation DESC, id DESC LIMIT 1
         ) v ON true
        WHERE o.folded_into IS NULL AND o.first_seen_at >= $1 AND o.first_seen_at < $2
        GROUP BY 1
     )
     SELECT spoken.verdict, opened.count::int AS opened, folded.count::int AS folded,
            coalesce(spoken.count, 0)::int AS count
       FROM opened CROSS JOIN folded LEFT JOIN spoken ON true`,
    [from, to],
  );
  const spoken = rows.filter((row) => row.verdict !== null).map((row) => [row.verdict, row.count]);
  const { opened = 0, folded = 0 } = rows[0] ?? {};
  return { uploaded: opened - folded, folded, verdicts: Object.fromEntries(spoken) };
}

/** A finding of a scan whose verdict fell in the period, with its object. */
export interface ReportedFinding {
  readonly objectId: string;
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | null;
  readonly kind: 'secret' | 'malware';
  readonly ruleId: string;
  readonly title: string;
  readonly severity: string;
  readonly confidence: string;
  readonly path: string;
  readonly line: number | null;
  readonly excerpt: string | null;
  readonly fingerprint: string;
  readonly verdict: Verdict;
  readonly at: Instant;
}

/** Findings of the period, newest first; at most `limit`. Masked as they were stored. */
export const findingsBetween = (
  db: Queryable,
  from: Instant,
  to: Instant,
  limit: number,
): Promise<ReportedFinding[]> =>
  db.query<ReportedFinding>(
    `SELECT o.id AS "objectId", o.bucket, o.key, o.version_id AS "versionId", f.kind, f.rule_id AS "ruleId",
            f.title, f.severity, f.confidence, f.path, f.line, f.excerpt, f.fingerprint, o.verdict,
            s.verdict_at::float8 AS at
       FROM scan s JOIN finding f ON f.scan_id = s.id JOIN object_version o ON o.id = s.object_id
      WHERE s.verdict_at >= $1 AND s.verdict_at < $2
      ORDER BY s.verdict_at DESC, f.id LIMIT $3`,
    [from, to, limit],
  );

/** A person's decision, with the object and what was done because of it. */
export interface ReportedDecision {
  readonly reviewId: string;
  readonly objectId: string;
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | null;
  readonly verdict: Verdict;
  readonly outcome: string;
  readonly decidedBy: string;
  readonly reason: string;
  readonly at: Instant;
  readonly action: string | null;
  readonly actionPerformed: boolean | null;
}

/** The decision register of the period, oldest first; at most `limit`. */
export const decisionsBetween = (
  db: Queryable,
  from: Instant,
  to: Instant,
  limit: number,
): Promise<ReportedDecision[]> =>
  db.query<ReportedDecision>(
    `SELECT d.review_id AS "reviewId", o.id AS "objectId", o.bucket, o.key, o.version_id AS "versionId",
            o.verdict, d.outcome, d.decided_by AS "decidedBy", d.reason, d.at::float8 AS at, a.action,
            a.performed AS "actionPerformed"
       FROM object_decision d JOIN object_version o ON o.id = d.object_id
       LEFT JOIN LATERAL (
         SELECT action, performed FROM object_action
          WHERE object_id = d.object_id AND scan_id = d.scan_id AND at >= d.at AND action <> 'tagged'
          ORDER BY id DESC LIMIT 1
       ) a ON true
      WHERE d.at >= $1 AND d.at < $2
      ORDER BY d.at, d.review_id LIMIT $3`,
    [from, to, limit],
  );

/** Object versions of the period that were not fully looked at, and why, most frequent first. */
export const notScannedReasons = (
  db: Queryable,
  from: Instant,
  to: Instant,
): Promise<{ readonly verdict: Verdict; readonly reason: string; readonly count: number }[]> =>
  db.query(
    `SELECT o.verdict, coalesce(v.reason, '') AS reason, count(*)::int AS count
       FROM object_version o LEFT JOIN verdict v ON v.id = o.verdict_id
      WHERE o.folded_into IS NULL AND o.first_seen_at >= $1 AND o.first_seen_at < $2
        AND o.verdict NOT IN ('clean', 'infected', 'secrets', 'suspicious')
      GROUP BY 1, 2 ORDER BY count DESC, 1, 2 LIMIT 200`,
    [from, to],
  );

/** Which engines and databases spoke in the period. */
export const enginesBetween = (
  db: Queryable,
  from: Instant,
  to: Instant,
): Promise<
  {
    readonly name: string;
    readonly version: string;
    readonly database: string | null;
    readonly databaseDate: string | null;
    readonly scans: number;
  }[]
> =>
  db.query(
    `SELECT e->>'name' AS name, e->>'version' AS version, e->>'database' AS database,
            e->>'databaseDate' AS "databaseDate", count(*)::int AS scans
       FROM verdict v CROSS JOIN LATERAL json_array_elements(v.engines) e
      WHERE v.at >= $1 AND v.at < $2
      GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4 LIMIT 200`,
    [from, to],
  );
