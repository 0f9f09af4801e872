import type { Queryable } from '../../database/queryable.js';
import type { ObjectRef } from '../../verdicts/ledger.js';

/** Whether these bytes are what a review released: our own write, which must not start another scan. */
export async function isReleased(db: Queryable, ref: ObjectRef, eTag: string | undefined): Promise<boolean> {
  const [row] = await db.query<{ released: boolean }>(
    `SELECT EXISTS (
       SELECT FROM released_object
        WHERE endpoint_id = $1 AND bucket = $2 AND key = $3
          AND version_id IS NOT DISTINCT FROM $4 AND etag = $5
     ) AS released`,
    [ref.endpointId, ref.bucket, ref.key, ref.versionId ?? null, eTag ?? null],
  );
  return row?.released === true;
}
