import type { Queryable } from '../../database/queryable.js';

/** Whether release `w` wrote object version `o`: told by the version; where there is none, by the ETag at the key. */
export const WROTE = `w.endpoint_id = o.endpoint_id AND w.bucket = o.bucket AND w.key = o.key
  AND CASE WHEN coalesce(o.version_id, 'null') = 'null'
           THEN coalesce(w.version_id, 'null') = 'null' AND w.etag = o.e_tag
           ELSE w.version_id = o.version_id END`;

/** The release that wrote an object version: what was scanned, and who let it go. */
export interface ReleaseRow {
  readonly objectId: string;
  readonly scanId: string;
  readonly reviewId: string | null;
  readonly decidedBy: string | null;
  readonly at: number;
}

/** The last one where several may have. */
export async function releaseOf(db: Queryable, objectId: string): Promise<ReleaseRow | undefined> {
  const [row] = await db.query<ReleaseRow>(
    `SELECT s.object_id AS "objectId", s.id AS "scanId", w.review_id AS "reviewId", w.decided_by AS "decidedBy",
            w.created_at::float8 AS at
       FROM object_version o
       JOIN released_object w ON ${WROTE}
       JOIN scan s ON s.id = w.scan_id::uuid AND s.object_id <> o.id
      WHERE o.id = $1 AND o.verdict = 'skipped'
      ORDER BY w.created_at DESC LIMIT 1`,
    [objectId],
  );
  return row;
}

/** How the people are called who decided these reviews, by the id of the review. */
export async function decidersOf(
  db: Queryable,
  reviewIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await db.query<{ id: string; name: string }>(
    `SELECT id::text, decided_by_name AS name FROM review
      WHERE id = ANY ($1::uuid[]) AND decided_by_name IS NOT NULL`,
    [reviewIds],
  );
  return new Map(rows.map(({ id, name }) => [id, name]));
}
