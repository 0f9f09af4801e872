import type { Queryable } from '../../database/queryable.js';
import type { ObjectRef } from '../../verdicts/ledger.js';

/** Where the object of a key was moved, when it is in quarantine; the last one where no version is named. */
export async function quarantinedAt(
  db: Queryable,
  { endpointId, bucket, key, versionId }: ObjectRef,
): Promise<{ readonly bucket: string; readonly key: string } | undefined> {
  const [row] = await db.query<{ bucket: string; key: string }>(
    `SELECT quarantine_bucket AS bucket, quarantine_key AS key FROM quarantined_object
      WHERE endpoint_id = $1 AND bucket = $2 AND key = $3 AND state = 'moved'
        AND ($4::text IS NULL OR version_id = $4)
      ORDER BY created_at DESC LIMIT 1`,
    [endpointId, bucket, key, versionId ?? null],
  );
  return row;
}
