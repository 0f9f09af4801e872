import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';
import type { Verdict } from '../../../verdicts/verdict.js';
import { IS_UNDER_WAY } from './under-way.js';

/** A scan that a run asked for. */
export interface RunItem {
  readonly scanId: string;
  readonly sizeBytes: number;
}

export async function insertItems(tx: Queryable, runId: string, items: readonly RunItem[]): Promise<void> {
  if (items.length === 0) return;
  await tx.query(
    `INSERT INTO listing_item (run_id, scan_id, size_bytes)
     SELECT $1, scan_id, size_bytes FROM unnest($2::uuid[], $3::bigint[]) AS i (scan_id, size_bytes)`,
    [runId, items.map(({ scanId }) => scanId), items.map(({ sizeBytes }) => sizeBytes)],
  );
}

/**
 * Takes out up to `limit` items whose scans have ended, and says how. One that left the backlog and never began became a
 * dead letter, or somebody or a rule took it out. The caller holds the run's row.
 */
export const settleItems = (
  tx: Queryable,
  args: { readonly runId: string; readonly limit: number },
): Promise<{ readonly verdict: Verdict; readonly count: number; readonly bytes: number }[]> =>
  tx.query(
    `WITH ended AS (
       SELECT i.scan_id, s.object_id, s.generation FROM listing_item i JOIN scan s ON s.id = i.scan_id
        WHERE i.run_id = $1 AND NOT ${IS_UNDER_WAY} LIMIT $2
     ), taken AS (
       DELETE FROM listing_item i USING ended e WHERE i.run_id = $1 AND i.scan_id = e.scan_id
       RETURNING i.scan_id, i.size_bytes, e.object_id, e.generation
     )
     SELECT coalesce(v.verdict, CASE WHEN d.scan_id IS NULL THEN 'skipped' ELSE 'failed' END) AS verdict, count(*)::int AS count, sum(t.size_bytes)::float8 AS bytes
       FROM taken t LEFT JOIN LATERAL (
         SELECT verdict FROM verdict
          WHERE object_id = t.object_id AND generation = t.generation AND scan_id = t.scan_id
          ORDER BY id DESC LIMIT 1) v ON true
       LEFT JOIN dead_letter d ON d.scan_id = t.scan_id
      GROUP BY 1`,
    [args.runId, args.limit],
  );

// Far from now, and still a time that a date can tell.
const HELD_UNTIL = 8_000_000_000_000;

/** What a run has in the backlog stays where it is until it is let go on. */
export const holdItems = (tx: Queryable, runId: string): Promise<unknown> =>
  tx.query(
    `UPDATE backlog_item b SET not_before = $2, postponed = true
       FROM listing_item i
      WHERE i.run_id = $1 AND b.scan_id = i.scan_id AND b.decide_at IS NULL AND b.not_before < $2`,
    [runId, HELD_UNTIL],
  );

export const letItemsGo = (tx: Queryable, runId: string, at: Instant): Promise<unknown> =>
  tx.query(
    `UPDATE backlog_item b SET not_before = $2, postponed = false
       FROM listing_item i WHERE i.run_id = $1 AND b.scan_id = i.scan_id AND b.not_before = $3`,
    [runId, at, HELD_UNTIL],
  );

/** A scan that was taken back before it began. */
export interface WithdrawnScan {
  readonly scan_id: string;
  readonly object_id: string;
  readonly generation: number;
  readonly size_bytes: number;
  /** The object has a verdict of an earlier scan. */
  readonly is_judged: boolean;
}

/**
 * Takes out of the backlog what a run has there and what has not begun. Those that are being started at this moment stay:
 * their item's row is held by whoever starts them, or gone.
 */
export const withdrawItems = (tx: Queryable, runId: string): Promise<WithdrawnScan[]> =>
  tx.query(
    `WITH waiting AS (
       SELECT b.scan_id FROM backlog_item b JOIN listing_item i ON i.scan_id = b.scan_id
        WHERE i.run_id = $1 FOR UPDATE OF b SKIP LOCKED
     ), withdrawn AS (
       DELETE FROM backlog_item b USING waiting w WHERE b.scan_id = w.scan_id RETURNING b.scan_id
     ), items AS (
       DELETE FROM listing_item i USING withdrawn w WHERE i.run_id = $1 AND i.scan_id = w.scan_id
       RETURNING i.scan_id, i.size_bytes
     )
     SELECT i.scan_id, s.object_id, s.generation, i.size_bytes::float8, o.verdict_generation >= 0 AS is_judged
       FROM items i JOIN scan s ON s.id = i.scan_id JOIN object_version o ON o.id = s.object_id`,
    [runId],
  );

export const closeScans = (tx: Queryable, scanIds: readonly string[], at: Instant): Promise<unknown> =>
  tx.query(
    'UPDATE scan SET closed_at = $2, verdict_at = coalesce(verdict_at, $2) WHERE id = ANY ($1) AND closed_at IS NULL',
    [scanIds, at],
  );

/** Scans that have begun end by themselves; the run counts them no more. */
export const forgetItems = (tx: Queryable, runId: string): Promise<unknown> =>
  tx.query('DELETE FROM listing_item WHERE run_id = $1', [runId]);
