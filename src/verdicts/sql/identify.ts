import type { Queryable } from '../../database/queryable.js';
import type { ObjectFacts } from '../ledger.js';

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
 * The same for an object whose version id alone is its identity, by its scan: one statement, no lock.
 *
 * @returns false when the scan is none of such an object, or is unknown.
 */
export async function fixVersion(db: Queryable, scanId: string, facts: ObjectFacts): Promise<boolean> {
  const rows = await db.query(
    `UPDATE object_version o
        SET e_tag = $2, size_bytes = $3, last_modified = $4, content_type = $5,
            detected_type = coalesce($6, o.detected_type), storage_class = $7, identity_fixed = true
       FROM scan s
      WHERE s.id = $1 AND o.id = s.object_id AND s.duplicate_of IS NULL
        AND o.version_id IS NOT NULL AND o.version_id <> 'null'
     RETURNING o.id`,
    [
      scanId,
      facts.eTag,
      facts.sizeBytes,
      facts.lastModified,
      facts.contentType ?? null,
      facts.detectedType ?? null,
      facts.storageClass ?? null,
    ],
  );
  return rows.length > 0;
}

/**
 * Another row already stands for these bytes: this one points to it and is counted no more.
 *
 * @returns the newest scan of the row that stays.
 */
export async function foldInto(
  tx: Queryable,
  fold: { readonly objectId: string; readonly scanId: string; readonly intoObjectId: string },
): Promise<string> {
  const [scan] = await tx.query<{ id: string }>(
    'SELECT id FROM scan WHERE object_id = $1 ORDER BY generation DESC LIMIT 1',
    [fold.intoObjectId],
  );
  await tx.query('UPDATE object_version SET folded_into = $2, is_latest = false WHERE id = $1', [
    fold.objectId,
    fold.intoObjectId,
  ]);
  // The event was one more sign that these bytes are what the key holds now.
  await tx.query(
    `UPDATE object_version t SET is_latest = true,
            sequence_domain = coalesce(t.sequence_domain, p.sequence_domain),
            sequence = CASE WHEN t.sequence_domain IS NULL THEN p.sequence
                            WHEN t.sequence_domain = p.sequence_domain THEN greatest(t.sequence, p.sequence)
                            ELSE t.sequence END
       FROM object_version p WHERE t.id = $2 AND p.id = $1`,
    [fold.objectId, fold.intoObjectId],
  );
  const ofScanId = scan?.id ?? fold.scanId;
  await tx.query('UPDATE scan SET duplicate_of = $2 WHERE id = $1', [fold.scanId, ofScanId]);
  return ofScanId;
}
