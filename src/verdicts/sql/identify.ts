import type { Queryable } from '../../database/queryable.js';
import type { ObjectFacts } from '../ledger.js';
import { storableJson } from '../text.js';

/** Writes what HEAD told onto the object, and its final identity. */
export async function fixIdentity(
  tx: Queryable,
  objectId: string,
  identity: string,
  facts: ObjectFacts,
): Promise<void> {
  await tx.query(
    `UPDATE object_version
        SET identity = $2, identity_fixed = true, e_tag = $3, size_bytes = $4, last_modified = $5,
            content_type = $6, detected_type = coalesce($7, detected_type), storage_class = $8
      WHERE id = $1`,
    [
      objectId,
      identity,
      facts.eTag,
      facts.sizeBytes,
      facts.lastModified,
      facts.contentType ?? null,
      facts.detectedType ?? null,
      facts.storageClass ?? null,
    ],
  );
}

/**
 * What the key holds now is not what this row told of, so this is no longer its latest state: the row of those bytes is,
 * where there is one.
 */
export async function yieldLatest(
  tx: Queryable,
  objectId: string,
  now: Pick<ObjectFacts, 'eTag' | 'sizeBytes'>,
): Promise<void> {
  await tx.query(
    `WITH late AS (
       UPDATE object_version SET is_latest = false WHERE id = $1 AND is_latest RETURNING endpoint_id, bucket, key
     )
     UPDATE object_version o SET is_latest = true
       FROM late
      WHERE o.id = (
        SELECT p.id FROM object_version p
         WHERE p.endpoint_id = late.endpoint_id AND p.bucket = late.bucket AND p.key = late.key AND p.id <> $1
           AND p.folded_into IS NULL AND p.deleted_at IS NULL
           AND p.e_tag = $2 AND coalesce(p.size_bytes, $3) = $3
         ORDER BY p.first_seen_at DESC LIMIT 1)`,
    [objectId, now.eTag, now.sizeBytes],
  );
}

/** Writes which version an upload is whose event named none. No other row is of this identity. */
export async function nameVersion(
  tx: Queryable,
  objectId: string,
  { versionId, identity }: { readonly versionId: string; readonly identity: string },
): Promise<void> {
  await tx.query(
    'UPDATE object_version SET version_id = $2, identity = $3, identity_fixed = true WHERE id = $1',
    [objectId, versionId, identity],
  );
}

/**
 * The same for objects whose version id alone is their identity, by their scans: one statement, and no lock on a key.
 *
 * @returns the scans that are of such an object.
 */
export async function fixVersions(
  db: Queryable,
  fixes: readonly { readonly scanId: string; readonly facts: ObjectFacts }[],
): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ scan_id: string }>(FIX_VERSIONS, [
    storableJson(
      fixes.map(({ scanId, facts }, n) => ({
        n,
        scan_id: scanId,
        e_tag: facts.eTag,
        size_bytes: facts.sizeBytes,
        last_modified: facts.lastModified,
        content_type: facts.contentType,
        detected_type: facts.detectedType,
        storage_class: facts.storageClass,
      })),
    ),
  ]);
  return new Set(rows.map(({ scan_id: id }) => id));
}

const FIX_VERSIONS = `
  WITH f AS MATERIALIZED (
    SELECT f.*, o.id AS object_id
      FROM json_to_recordset($1::json) AS f (n int, scan_id uuid, e_tag text, size_bytes bigint, last_modified text,
           content_type text, detected_type text, storage_class text)
      JOIN scan s ON s.id = f.scan_id JOIN object_version o ON o.id = s.object_id
     WHERE s.duplicate_of IS NULL AND o.version_id IS NOT NULL AND o.version_id <> 'null'
     ORDER BY o.id FOR NO KEY UPDATE OF o),
  fixed AS (
    UPDATE object_version o
       SET e_tag = f.e_tag, size_bytes = f.size_bytes, last_modified = f.last_modified,
           content_type = f.content_type, detected_type = coalesce(f.detected_type, o.detected_type),
           storage_class = f.storage_class, identity_fixed = true
      -- Of one object the last word counts, as when they come one by one.
      FROM (SELECT DISTINCT ON (object_id) * FROM f ORDER BY object_id, n DESC) f WHERE o.id = f.object_id)
  SELECT scan_id FROM f`;

/**
 * Another row already stands for these bytes: this one points to it and is counted no more.
 *
 * @returns the newest scan of the row that stays.
 */
export async function foldInto(
  tx: Queryable,
  fold: {
    readonly objectId: string;
    readonly scanId: string;
    readonly intoObjectId: string;
    /** They are what the key holds now. */
    readonly isCurrent: boolean;
  },
): Promise<string> {
  const [scan] = await tx.query<{ id: string }>(
    'SELECT id FROM scan WHERE object_id = $1 ORDER BY generation DESC LIMIT 1',
    [fold.intoObjectId],
  );
  await tx.query('UPDATE object_version SET folded_into = $2, is_latest = false WHERE id = $1', [
    fold.objectId,
    fold.intoObjectId,
  ]);
  // Where they are what the key holds now, the event was one more sign of it.
  await tx.query(
    `UPDATE object_version t SET is_latest = t.is_latest OR $3, uploader = coalesce(t.uploader, p.uploader),
            sequence_domain = coalesce(t.sequence_domain, p.sequence_domain),
            sequence = CASE WHEN t.sequence_domain IS NULL THEN p.sequence
                            WHEN t.sequence_domain = p.sequence_domain THEN greatest(t.sequence, p.sequence)
                            ELSE t.sequence END
       FROM object_version p WHERE t.id = $2 AND p.id = $1`,
    [fold.objectId, fold.intoObjectId, fold.isCurrent],
  );
  const ofScanId = scan?.id ?? fold.scanId;
  await tx.query('UPDATE scan SET duplicate_of = $2 WHERE id = $1', [fold.scanId, ofScanId]);
  return ofScanId;
}
