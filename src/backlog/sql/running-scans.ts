import type { Queryable } from '../../database/queryable.js';

/**
 * How many scans of each bucket run: started, and without a verdict yet. One that waits for a person for weeks has its
 * verdict, and holds nobody's place.
 */
export async function runningScans(db: Queryable): Promise<Map<string, number>> {
  const rows = await db.query<{ endpoint_id: string; bucket: string; running: number }>(
    `SELECT o.endpoint_id, o.bucket, count(*)::int AS running
       FROM scan s JOIN object_version o ON o.id = s.object_id
      WHERE s.started_at IS NOT NULL AND s.verdict_at IS NULL AND s.closed_at IS NULL
      GROUP BY o.endpoint_id, o.bucket`,
  );
  return new Map(rows.map((row) => [groupOf(row), row.running]));
}

/** Who shares fairly: a bucket on its endpoint. */
export const groupOf = (row: { readonly endpoint_id: string; readonly bucket: string }): string =>
  `${row.endpoint_id}/${row.bucket}`;
