import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';
import type { ObjectRef } from '../../../verdicts/ledger.js';

// Events of our own write arrive within minutes. Without a version id only the ETag tells our copy from a later upload
// of bytes with the same ETag, so such a row stops counting soon.
const UNVERSIONED_MS = 3_600_000;

/** An upload as its event told it. */
export interface ToldUpload {
  readonly ref: ObjectRef;
  readonly eTag: string | undefined;
}

/**
 * Which of these are what a review released: our own copies, whose events must not start another scan. True from just
 * before the copy is made, because its event may be faster than our own next statement.
 */
export async function releasedAmong<Upload extends ToldUpload>(
  db: Queryable,
  uploads: readonly Upload[],
  now: Instant,
): Promise<Set<Upload>> {
  if (uploads.length === 0) return new Set();
  const rows = await db.query<{ n: number }>(
    `SELECT u.n::int
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY
            AS u (endpoint_id, bucket, key, etag, version_id, n)
      WHERE EXISTS (
        SELECT FROM released_object r
         WHERE r.endpoint_id = u.endpoint_id AND r.bucket = u.bucket AND r.key = u.key AND r.etag = u.etag
           AND (r.version_id = u.version_id OR (r.version_id IS NULL AND r.created_at > $6)))`,
    [
      uploads.map(({ ref }) => ref.endpointId),
      uploads.map(({ ref }) => ref.bucket),
      uploads.map(({ ref }) => ref.key),
      uploads.map(({ eTag }) => eTag ?? ''),
      uploads.map(({ ref }) => ref.versionId ?? null),
      Math.round(now - UNVERSIONED_MS),
    ],
  );
  return new Set(rows.map(({ n }) => uploads[n - 1]).filter((upload) => upload !== undefined));
}

/** The same of one object. */
export const isReleased = async (
  db: Queryable,
  ref: ObjectRef,
  eTag: string | undefined,
  now: Instant,
): Promise<boolean> => (await releasedAmong(db, [{ ref, eTag }], now)).size > 0;

/** Says before the copy is made what its event will look like. Repeatable. */
export async function announceRelease(
  db: Queryable,
  release: { scanId: string; ref: ObjectRef; eTag: string; sha256: string; at: Instant },
): Promise<void> {
  await db.query(
    `INSERT INTO released_object (scan_id, endpoint_id, bucket, key, etag, sha256, is_written, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, false, $7)
     ON CONFLICT (scan_id) DO NOTHING`,
    [
      release.scanId,
      release.ref.endpointId,
      release.ref.bucket,
      release.ref.key,
      release.eTag,
      release.sha256,
      Math.round(release.at),
    ],
  );
}

/** Says what was written. */
export async function confirmRelease(
  db: Queryable,
  release: { scanId: string; versionId: string | undefined; eTag: string },
): Promise<void> {
  await db.query(
    `UPDATE released_object SET version_id = $2, etag = $3, is_written = true WHERE scan_id = $1`,
    [release.scanId, release.versionId ?? null, release.eTag],
  );
}

/** The release that was written for a scan, if one was. */
export async function writtenRelease(
  db: Queryable,
  scanId: string,
): Promise<{ versionId: string | undefined; eTag: string } | undefined> {
  const [row] = await db.query<{ version_id: string | null; etag: string }>(
    `SELECT version_id, etag FROM released_object WHERE scan_id = $1 AND is_written`,
    [scanId],
  );
  return row === undefined ? undefined : { versionId: row.version_id ?? undefined, eTag: row.etag };
}
