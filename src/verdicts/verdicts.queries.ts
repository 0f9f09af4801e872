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
