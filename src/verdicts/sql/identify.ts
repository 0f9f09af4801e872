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
