import type { Instant } from '../clock.js';
import type { Queryable } from '../database/queryable.js';
import { WROTE } from './sql/release-of.js';
import type { Verdict } from './verdict.js';

/** Copies that a release wrote, counted from two tables. */
export interface Copies {
  readonly opened: number;
  readonly accountedFor: number;
}

/** Uploads of one bucket that came to the same. */
export interface UploadOutcome {
  readonly endpointId: string;
  readonly bucket: string;
  readonly verdict: Verdict;
  /** Empty while it is pending. */
  readonly reason: string;
  /** A release wrote it, nobody uploaded it. */
  readonly isCopy: boolean;
  readonly count: number;
  readonly bytes: number;
}

/** What a period's uploads came to. `uploaded` and the outcomes are counted from different tables. */
export interface Coverage {
  /** Object versions that were uploaded in the period: those that events or requests opened, less the folded ones and the copies. */
  readonly uploaded: number;
  /** Copies that a release wrote, which nobody uploaded: those that events or requests opened, and those that have a verdict. */
  readonly copies: Copies;
  /** Rows that inspection found to be another row's bytes; in neither count. */
  readonly folded: number;
  /** Verdict of each upload first seen in the period as it was when the period ended; `pending` where none was spoken. */
  readonly verdicts: Readonly<Partial<Record<Verdict, number>>>;
  /** The same and the copies, by bucket and reason. */
  readonly outcomes: readonly UploadOutcome[];
}

/**
 * Coverage of what was first seen in [from, to), as of `to`.
 *
 * All counts come from one statement and so from one moment: without that, an upload between two of them would make
 * the equation fail for no fault.
 */
export async function coverage(db: Queryable, from: Instant, to: Instant): Promise<Coverage> {
  const rows = await db.query<
    { opened: number; folded: number; copies: number } & {
      [Key in keyof UploadOutcome]: UploadOutcome[Key] | null;
    }
  >(
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
       SELECT o.endpoint_id AS "endpointId", o.bucket, coalesce(v.verdict, 'pending') AS verdict,
              coalesce(v.reason, '') AS reason, copy.id IS NOT NULL AS "isCopy",
              count(*)::int AS count, sum(coalesce(o.size_bytes, 0))::float8 AS bytes
         FROM object_version o LEFT JOIN copy ON copy.id = o.id LEFT JOIN LATERAL (
           SELECT verdict, reason FROM verdict WHERE object_id = o.id AND at < $2
            ORDER BY generation DESC, id DESC LIMIT 1
         ) v ON true
        WHERE o.folded_into IS NULL AND o.first_seen_at >= $1 AND o.first_seen_at < $2
        GROUP BY 1, 2, 3, 4, 5
     )
     SELECT opened.count::int AS opened, folded.count::int AS folded, copies.count::int AS copies, spoken.*
       FROM opened CROSS JOIN folded CROSS JOIN copies LEFT JOIN spoken ON true
      ORDER BY "endpointId", bucket, verdict, reason, "isCopy"`,
    [from, to],
  );
  const { opened = 0, folded = 0, copies = 0 } = rows[0] ?? {};
  const outcomes = rows
    .filter((row) => row.verdict !== null)
    .map(({ endpointId, bucket, verdict, reason, isCopy, count, bytes }) => ({
      endpointId,
      bucket,
      verdict,
      reason,
      isCopy,
      count,
      bytes,
    })) as readonly UploadOutcome[];
  const verdicts: Partial<Record<Verdict, number>> = {};
  for (const { verdict, isCopy, count } of outcomes)
    if (!isCopy) verdicts[verdict] = (verdicts[verdict] ?? 0) + count;
  return {
    uploaded: opened - folded - copies,
    copies: {
      opened: copies,
      accountedFor: outcomes.reduce((sum, { isCopy, count }) => sum + (isCopy ? count : 0), 0),
    },
    folded,
    verdicts,
    outcomes,
  };
}

/** An engine as it was when it looked, and behind how many verdicts it stands. */
export interface EngineUse {
  readonly name: string;
  readonly version: string;
  readonly database: string | null;
  readonly verdicts: number;
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
