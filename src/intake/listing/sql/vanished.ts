import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';

/** A row that the bucket's listing does not tell of. */
export interface AbsentRow {
  readonly id: string;
  readonly key: string;
  readonly version_id: string | null;
  readonly identity: string;
}

export interface AbsentRange {
  readonly endpointId: string;
  readonly bucket: string;
  readonly prefix: string;
  /** From this key on; from the beginning without. */
  readonly fromKey: string | undefined;
  /** Keys before this one; to the end without. */
  readonly beforeKey: string | undefined;
  /** Identities that the listing told of in this range. */
  readonly told: readonly string[];
  /** Rows that came later are left alone: their upload may have missed the listing. */
  readonly seenBefore: Instant;
  readonly after: { readonly key: string; readonly id: string } | undefined;
  readonly limit: number;
}

/**
 * Rows of a range of keys that stand for something in the bucket and that its listing did not tell of, in the order of
 * keys. The operators compare bytes, as S3 does, whatever the database's collation is.
 */
export const absentRows = (db: Queryable, range: AbsentRange): Promise<AbsentRow[]> =>
  db.query<AbsentRow>(
    `SELECT o.id, o.key, o.version_id, o.identity FROM object_version o
      WHERE o.bucket = $1 AND o.endpoint_id = $2 AND starts_with(o.key, $3)
        AND ($4::text IS NULL OR o.key ~>=~ $4) AND ($5::text IS NULL OR o.key ~<~ $5)
        AND ($6::text IS NULL OR o.key ~>~ $6 OR (o.key = $6 AND o.id > $7::uuid))
        AND o.deleted_at IS NULL AND o.folded_into IS NULL AND o.first_seen_at < $8
        -- An older state of an unversioned object was overwritten, and nobody expects it there.
        AND (o.is_latest OR coalesce(o.version_id, 'null') <> 'null')
        AND NOT (o.identity = ANY ($9))
      ORDER BY o.key USING ~<~, o.id LIMIT $10`,
    [
      range.bucket,
      range.endpointId,
      range.prefix,
      range.fromKey ?? null,
      range.beforeKey ?? null,
      range.after?.key ?? null,
      range.after?.id ?? null,
      range.seenBefore,
      range.told,
      range.limit,
    ],
  );

/** They are no longer there. @returns how many were thought to be, quarantined and deleted ones apart. */
export async function markVanished(tx: Queryable, ids: readonly string[], at: Instant): Promise<number> {
  const rows = await tx.query<{ by_us: boolean }>(
    `UPDATE object_version SET deleted_at = $2, is_latest = false
      WHERE id = ANY ($1) AND deleted_at IS NULL
      RETURNING coalesce(action IN ('quarantined', 'deleted') AND action_performed, false) AS by_us`,
    [ids, at],
  );
  return rows.filter((row) => !row.by_us).length;
}
