import { CLEAN_VERDICTS } from '../../verdicts/verdict.js';
import { WROTE } from '../../verdicts/sql/release-of.js';
import { coverage, type UploadOutcome } from '../../verdicts/verdicts.queries.js';
import { coverageOf, groupOf } from '../arithmetic.js';
import type { Coverage } from '../data/coverage.js';
import { LISTED_ROWS, type Spread } from '../data/parts.js';
import { gapsIn } from './gaps.js';
import { readInventory } from './inventory.js';
import { iso, listedRows, NO_SPREAD, spread, type Asked } from './section.js';

/** Coverage of the period's uploads, as their verdicts were at its end. */
export async function readCoverage(asked: Asked, reportId: string): Promise<Coverage> {
  const counted = await coverage(asked.tx, asked.from, asked.to);
  const uploads = counted.outcomes.filter(({ isCopy }) => !isCopy);
  const inventory = await readInventory(asked, reportId);
  const sums = coverageOf(counted.uploaded, counted.verdicts, counted.copies);
  return {
    ...sums,
    bytes: uploads.reduce((sum, { bytes }) => sum + bytes, 0),
    reasons: reasonsOf(uploads),
    pending: await pendingBalance(asked, counted.uploaded),
    timeToVerdict: await timeToVerdict(asked),
    buckets: bucketsOf(uploads),
    inventory,
    gaps: await gapsIn(asked, sums, inventory),
    notClean: await uploadsNotClean(asked),
    skippedBy: reasonsOf(uploads)
      .filter(({ verdict }) => verdict === 'skipped')
      .map(({ reason, count }) => ({ policy: reason, count })),
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function reasonsOf(uploads: readonly UploadOutcome[]): Coverage['reasons'] {
  const counts = new Map<string, { verdict: string; reason: string; count: number }>();
  for (const { verdict, reason, count } of uploads) {
    if (groupOf(verdict) === 'clean' || verdict === 'pending') continue;
    const key = JSON.stringify([verdict, reason]);
    const known = counts.get(key) ?? { verdict, reason, count: 0 };
    counts.set(key, { ...known, count: known.count + count });
  }
  return [...counts.values()].toSorted(
    (a, b) => b.count - a.count || compare(a.verdict, b.verdict) || compare(a.reason, b.reason),
  );
}

function bucketsOf(uploads: readonly UploadOutcome[]): Coverage['buckets'] {
  const buckets = new Map<string, Coverage['buckets'][number]>();
  for (const { endpointId, bucket, verdict, count, bytes } of uploads) {
    const key = JSON.stringify([endpointId, bucket]);
    const none = { clean: 0, found: 0, notWhole: 0, notScanned: 0, pending: 0 };
    const known = buckets.get(key) ?? { endpointId, bucket, uploaded: 0, bytes: 0, ...none };
    const group = groupOf(verdict);
    buckets.set(key, {
      ...known,
      uploaded: known.uploaded + count,
      bytes: known.bytes + bytes,
      [group]: known[group] + count,
    });
  }
  return [...buckets.values()].toSorted(
    (a, b) => compare(a.bucket, b.bucket) || compare(a.endpointId, b.endpointId),
  );
}

// Neither folded into another row nor written by a release.
const IS_UPLOAD = `o.folded_into IS NULL
  AND NOT (o.verdict = 'skipped' AND EXISTS (SELECT FROM released_object w WHERE ${WROTE}))`;

/** Uploads without a verdict at both ends of the period, and those that got their first one in it. */
async function pendingBalance({ tx, from, to }: Asked, uploaded: number): Promise<Coverage['pending']> {
  // What waits now, and what was judged since: who waited then is among them.
  const [row] = await tx.query<{ opening: number; closing: number; settled: number }>(
    `WITH first AS (
       SELECT v.object_id, min(v.at) AS at FROM verdict v
        WHERE v.at >= $1 AND NOT EXISTS (SELECT FROM verdict e WHERE e.object_id = v.object_id AND e.at < $1)
        GROUP BY v.object_id
     ), waited AS (
       SELECT o.first_seen_at, first.at FROM first JOIN object_version o ON o.id = first.object_id WHERE ${IS_UPLOAD}
        UNION ALL
       SELECT o.first_seen_at, NULL FROM object_version o
        WHERE o.verdict = 'pending' AND o.folded_into IS NULL
          AND NOT EXISTS (SELECT FROM verdict v WHERE v.object_id = o.id)
     )
     SELECT count(*) FILTER (WHERE first_seen_at < $1)::int AS opening,
            count(*) FILTER (WHERE first_seen_at < $2 AND (at IS NULL OR at >= $2))::int AS closing,
            count(*) FILTER (WHERE first_seen_at < $2 AND at < $2)::int AS settled
       FROM waited`,
    [from, to],
  );
  const { opening = 0, closing = 0, settled = 0 } = row ?? {};
  return { opening, uploaded, settled, closing, addsUp: opening + uploaded - settled === closing };
}

/** From the upload, or from when a comparison or a request told of it. */
async function timeToVerdict({ tx, from, to }: Asked): Promise<Spread> {
  const since = `CASE o.origin WHEN 'event' THEN least(o.uploaded_at, o.first_seen_at) ELSE o.first_seen_at END`;
  const [row] = await tx.query<{ took: Spread }>(
    `SELECT ${spread(`v.at - ${since}`, 'took')}
       FROM verdict v JOIN object_version o ON o.id = v.object_id
      WHERE v.at >= $1 AND v.at < $2 AND o.folded_into IS NULL AND v.scan_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM verdict e WHERE e.object_id = v.object_id AND e.id < v.id)`,
    [from, to],
  );
  return row?.took ?? NO_SPREAD;
}

/** Uploads of the period that were not clean at its end, worst first. */
export async function uploadsNotClean({ tx, from, to }: Asked): Promise<Coverage['notClean']> {
  const rows = await tx.query<{
    id: string;
    object: string;
    verdict: string;
    reason: string;
    uploaded_at: string;
    size: number | null;
    decision: string | null;
    action: string | null;
    total: number;
  }>(
    `SELECT o.id, o.bucket || '/' || o.key AS object, coalesce(v.verdict, 'pending') AS verdict,
            coalesce(v.reason, '') AS reason, o.uploaded_at, o.size_bytes::float8 AS size,
            (SELECT d.outcome FROM object_decision d WHERE d.object_id = o.id AND d.at < $2 ORDER BY d.at DESC, d.review_id LIMIT 1) AS decision,
            (SELECT a.action FROM object_action a WHERE a.object_id = o.id AND a.at < $2 AND a.performed ORDER BY a.id DESC LIMIT 1) AS action,
            count(*) OVER ()::int AS total
       FROM object_version o LEFT JOIN LATERAL (
         SELECT verdict, reason FROM verdict WHERE object_id = o.id AND at < $2 ORDER BY generation DESC, id DESC LIMIT 1
       ) v ON true
      WHERE o.first_seen_at >= $1 AND o.first_seen_at < $2 AND ${IS_UPLOAD}
        AND NOT coalesce(v.verdict, 'pending') = ANY ($4)
      ORDER BY array_position(ARRAY['infected','secrets','failed','suspicious','encrypted','incomplete','unsupported','denied','archived','pending','superseded','gone','skipped'],
                              coalesce(v.verdict, 'pending')), o.first_seen_at, o.id
      LIMIT $3`,
    [from, to, LISTED_ROWS, CLEAN_VERDICTS],
  );
  return listedRows(rows, 'data/uploads.csv', (row) => ({
    objectId: row.id,
    object: row.object,
    verdict: row.verdict,
    reason: row.reason,
    uploadedAt: iso(row.uploaded_at),
    sizeBytes: row.size,
    decision: row.decision,
    action: row.action,
  }));
}
