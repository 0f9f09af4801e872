import type { Coverage } from '../data/coverage.js';
import { LISTED_ROWS } from '../data/parts.js';
import { iso, type Asked } from './section.js';

type Gap = Coverage['gaps']['rows'][number];

/** Whoever uploads on the last evening of a period waits into the next one; beyond this somebody has to look. */
const LONG_PENDING_MS = 24 * 3_600_000;

interface GapRow {
  readonly what: string;
  readonly object: string;
  readonly at: string;
  readonly note: string;
  readonly total: number;
}

/** What the equations leave open, in the order in which it should be answered. */
export async function gapsIn(
  asked: Asked,
  sums: { readonly gap: number },
  inventory: Coverage['inventory'],
): Promise<Coverage['gaps']> {
  const bySum: Gap[] = [
    ...(sums.gap === 0
      ? []
      : [
          {
            what: 'not accounted for',
            object: '',
            at: null,
            note: `${sums.gap} between what intake accepted and what the ledger holds`,
          },
        ]),
    ...inventory
      .filter(({ state }) => state !== 'compared')
      .map(({ endpointId, bucket, why }) => ({
        what: 'bucket not compared',
        object: `${bucket} on ${endpointId}`,
        at: null,
        note: why ?? '',
      })),
    ...inventory
      .filter(({ addsUp }) => !addsUp)
      .map(({ endpointId, bucket, listedAt }) => ({
        what: 'comparison does not add up',
        object: `${bucket} on ${endpointId}`,
        at: listedAt,
        note: 'what was listed is not the sum of its parts',
      })),
  ];
  const rows = await gapRows(asked);
  return {
    total: bySum.length + (rows[0]?.total ?? 0),
    file: 'report.json',
    rows: [
      ...bySum,
      ...rows.map(({ what, object, at, note }) => ({ what, object, at: iso(at), note })),
    ].slice(0, LISTED_ROWS),
  };
}

const gapRows = ({ tx, from, to }: Asked): Promise<GapRow[]> =>
  tx.query<GapRow>(
    `WITH found AS (
       SELECT 'no event told of it' AS what, o.bucket || '/' || o.key AS object, s.requested_at AS at,
              'found by comparing the bucket, and scanned then' AS note, 1 AS place
         FROM scan s JOIN object_version o ON o.id = s.object_id
        WHERE s.opened_object AND s.requested_by LIKE 'system:reconcile:%'
          AND s.requested_at >= $1 AND s.requested_at < $2
        UNION ALL
       SELECT 'no verdict after a day', o.bucket || '/' || o.key, o.first_seen_at, 'it still waited at the end', 2
         FROM object_version o
        WHERE o.folded_into IS NULL AND o.first_seen_at < $3 AND (
            o.verdict = 'pending' OR EXISTS (SELECT FROM verdict v WHERE v.object_id = o.id AND v.at >= $2))
          AND NOT EXISTS (SELECT FROM verdict v WHERE v.object_id = o.id AND v.at < $2)
        UNION ALL
       SELECT 'event refused', coalesce(bucket, '') , last_at, reason || ' at ' || path, 3
         FROM intake_reject WHERE last_at >= $1 AND last_at < $2
     )
     SELECT what, object, at, note, count(*) OVER ()::int AS total FROM found
      ORDER BY place, at, object, note LIMIT $4`,
    [from, to, to - LONG_PENDING_MS, LISTED_ROWS],
  );
