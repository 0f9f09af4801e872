import type { Queryable } from '../../../database/queryable.js';

/** An object whose verdict rests on an exception. */
export interface ExceptedObject {
  readonly endpointId: string;
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | null;
}

export interface ExceptedPage {
  readonly objects: readonly ExceptedObject[];
  /** The last finding that was looked at, where there may be more after it. */
  readonly last: string | undefined;
}

/** A page of the objects that were judged by findings which these exceptions answered for, each once a page. */
export async function exceptedObjects(
  db: Queryable,
  exceptionIds: readonly string[],
  { after, walk }: { readonly after: string; readonly walk: number },
): Promise<ExceptedPage> {
  const rows = await db.query<ExceptedObject & { readonly last: string | null; readonly walked: number }>(
    `WITH f AS MATERIALIZED (
       SELECT id, scan_id, object_id FROM finding
        WHERE exception_id = ANY ($1::uuid[]) AND id > $2::bigint ORDER BY id LIMIT $3
     ), fit AS (
       SELECT DISTINCT o.endpoint_id AS "endpointId", o.bucket, o.key, o.version_id AS "versionId"
         FROM f JOIN scan s ON s.id = f.scan_id
         JOIN object_version o ON o.id = f.object_id AND o.verdict_generation = s.generation
        WHERE o.folded_into IS NULL AND o.deleted_at IS NULL
     )
     SELECT fit.*, (SELECT max(id) FROM f) AS last, (SELECT count(*)::int FROM f) AS walked
       FROM (SELECT 1) one LEFT JOIN fit ON true`,
    [exceptionIds, after, walk],
  );
  const [first] = rows;
  return {
    objects: rows
      .filter(({ bucket }) => bucket !== null)
      .map(({ endpointId, bucket, key, versionId }) => ({ endpointId, bucket, key, versionId })),
    last: first?.walked === walk ? (first.last ?? undefined) : undefined,
  };
}
