import type { Queryable } from '../../../database/queryable.js';
import type { ObjectRef } from '../../../verdicts/ledger.js';
import type { Verdict } from '../../../verdicts/verdict.js';
import { IS_UNDER_WAY } from './under-way.js';

/** What the ledger has of a version that a listing told of. */
export interface KnownVersion {
  readonly id: string;
  readonly verdict: Verdict;
  /** Negative before the first verdict. */
  readonly verdictGeneration: number;
  /** Its newest scan has not ended. */
  readonly isUnderWay: boolean;
  /** Of the current verdict; empty for none. */
  readonly reason: string;
  readonly isDeleted: boolean;
}

export interface ToldVersion {
  readonly ref: ObjectRef;
  readonly identity: string;
  readonly eTag: string;
  readonly sizeBytes: number;
}

/**
 * The rows of these versions, by the place in the list. An upload without a version id that its event told, and nobody
 * inspected yet, is known by key, ETag and size.
 */
export async function knownVersions<Told extends ToldVersion>(
  db: Queryable,
  versions: readonly Told[],
): Promise<Map<Told, KnownVersion>> {
  if (versions.length === 0) return new Map();
  const rows = await db.query<{
    n: number;
    id: string;
    verdict: Verdict;
    verdict_generation: number;
    is_under_way: boolean;
    reason: string | null;
    is_deleted: boolean;
  }>(
    `WITH told AS (
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::boolean[])
         WITH ORDINALITY AS t (identity, endpoint_id, bucket, key, e_tag, size_bytes, is_versioned, n)
     ), found AS (
       SELECT t.n, coalesce(o.folded_into, o.id) AS id
         FROM told t JOIN object_version o ON o.identity = t.identity
       UNION ALL
       SELECT t.n, o.id
         FROM told t JOIN object_version o
           ON o.bucket = t.bucket AND o.key = t.key AND o.endpoint_id = t.endpoint_id
          AND NOT o.identity_fixed AND o.folded_into IS NULL AND o.deleted_at IS NULL
          AND o.e_tag = t.e_tag AND o.size_bytes = t.size_bytes
        WHERE NOT t.is_versioned
     )
     SELECT DISTINCT ON (f.n) f.n::int, o.id, o.verdict, o.verdict_generation, v.reason,
            o.deleted_at IS NOT NULL AS is_deleted,
            s.id IS NOT NULL AND ${IS_UNDER_WAY} AS is_under_way
       FROM found f JOIN object_version o ON o.id = f.id LEFT JOIN verdict v ON v.id = o.verdict_id
       LEFT JOIN scan s ON s.object_id = o.id AND s.generation = o.generation
      ORDER BY f.n, o.verdict_generation DESC`,
    [
      versions.map(({ identity }) => identity),
      versions.map(({ ref }) => ref.endpointId),
      versions.map(({ ref }) => ref.bucket),
      versions.map(({ ref }) => ref.key),
      versions.map(({ eTag }) => eTag),
      versions.map(({ sizeBytes }) => sizeBytes),
      versions.map(({ ref }) => ref.versionId !== undefined && ref.versionId !== 'null'),
    ],
  );
  const known = new Map<Told, KnownVersion>();
  for (const row of rows) {
    const told = versions[row.n - 1];
    if (told === undefined) continue;
    known.set(told, {
      id: row.id,
      verdict: row.verdict,
      verdictGeneration: row.verdict_generation,
      isUnderWay: row.is_under_way,
      reason: row.reason ?? '',
      isDeleted: row.is_deleted,
    });
  }
  return known;
}

/** Of which of these an upload of the same key is known that came later. */
export async function supersededAmong<Told extends { readonly ref: ObjectRef; readonly uploadedAt: number }>(
  db: Queryable,
  versions: readonly Told[],
): Promise<Set<Told>> {
  if (versions.length === 0) return new Set();
  const rows = await db.query<{ n: number }>(
    `SELECT t.n::int FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
            WITH ORDINALITY AS t (endpoint_id, bucket, key, uploaded_at, n)
      WHERE EXISTS (
        SELECT FROM object_version o
         WHERE o.bucket = t.bucket AND o.key = t.key AND o.endpoint_id = t.endpoint_id
           AND o.is_latest AND o.uploaded_at > t.uploaded_at)`,
    [
      versions.map(({ ref }) => ref.endpointId),
      versions.map(({ ref }) => ref.bucket),
      versions.map(({ ref }) => ref.key),
      versions.map(({ uploadedAt }) => uploadedAt),
    ],
  );
  return new Set(rows.map(({ n }) => versions[n - 1]).filter((told) => told !== undefined));
}

/** They are there after all: a deletion was told too early, or taken back. */
export const undelete = (tx: Queryable, ids: readonly string[]): Promise<unknown> =>
  ids.length === 0
    ? Promise.resolve()
    : tx.query('UPDATE object_version SET deleted_at = NULL WHERE id = ANY ($1)', [ids]);
