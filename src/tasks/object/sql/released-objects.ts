import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';
import type { ObjectRef } from '../../../verdicts/ledger.js';
import { storableJson } from '../../../verdicts/text.js';
import { forgetUpload } from './copy-uploads.js';
import { appendStep } from './object-steps.js';

// Events of our own write arrive within minutes. Where no version id tells our copy from a later upload of the same
// bytes, a release stops counting after this.
const UNVERSIONED_MS = 3_600_000;
const MAX_CANDIDATES = 5;

/** An upload as its event told it. */
export interface ToldUpload {
  readonly ref: ObjectRef;
}

/**
 * Which of these are versions that a release wrote: our own copies, whose events must not start another scan. Only the
 * version's id is believed. An ETag is not: whoever makes two files of one MD5 could have one of them reviewed and slip
 * the other in. What is not told apart by its version is looked at, and then by its SHA-256 (`releasesOf`).
 */
export async function releasedAmong<Upload extends ToldUpload>(
  db: Queryable,
  uploads: readonly Upload[],
): Promise<Set<Upload>> {
  if (uploads.length === 0) return new Set();
  const rows = await db.query<{ n: number }>(
    `SELECT u.n::int
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY
            AS u (endpoint_id, bucket, key, version_id, n)
      WHERE u.version_id <> 'null' AND EXISTS (
        SELECT FROM released_object r
         WHERE r.endpoint_id = u.endpoint_id AND r.bucket = u.bucket AND r.key = u.key
           AND r.version_id = u.version_id)`,
    [
      uploads.map(({ ref }) => ref.endpointId),
      uploads.map(({ ref }) => ref.bucket),
      uploads.map(({ ref }) => ref.key),
      uploads.map(({ ref }) => ref.versionId ?? null),
    ],
  );
  return new Set(rows.map(({ n }) => uploads[n - 1]).filter((upload) => upload !== undefined));
}

/** Why an object may pass although it was found guilty before: a person let these bytes go. */
export interface Allowance {
  /** The scan whose object was released. */
  readonly scanId: string;
  readonly sha256: string;
  readonly reviewId: string | null;
  readonly decidedBy: string | null;
  readonly at: Instant;
  /** It is the very version that the release wrote and read back; otherwise its bytes have still to be compared. */
  readonly isExact: boolean;
}

interface AllowanceRow {
  n: number;
  scan_id: string;
  sha256: string;
  review_id: string | null;
  decided_by: string | null;
  at: number;
  is_exact: boolean;
}

/** An object that may be let pass. */
export interface Candidate {
  readonly ref: ObjectRef;
  readonly sizeBytes: number;
}

/**
 * What may let each of these objects pass: the release that wrote it, releases under way at its key, and bytes of its size
 * that are allowed in its bucket. Exact ones first; at most five of each. In the order given.
 */
export async function allowancesFor(
  db: Queryable,
  candidates: readonly Candidate[],
  now: Instant,
): Promise<readonly (readonly Allowance[])[]> {
  const rows = await db.query<AllowanceRow>(
    `SELECT c.n::int, found.*
       FROM json_to_recordset($1::json) AS c (n int, endpoint_id text, bucket text, key text, version_id text,
            size_bytes bigint), LATERAL (
     (SELECT r.scan_id::text, r.sha256, r.review_id, r.decided_by, r.created_at::float8 AS at,
             (r.version_id IS NOT NULL AND r.version_id <> 'null' AND r.is_written) AS is_exact
        FROM released_object r JOIN quarantined_object q ON q.scan_id = r.scan_id
       WHERE r.endpoint_id = c.endpoint_id AND r.bucket = c.bucket AND r.key = c.key
         AND q.size_bytes = c.size_bytes
         AND (r.version_id = c.version_id
              OR ((r.version_id IS NULL OR r.version_id = 'null' OR c.version_id IS NULL)
                  AND r.created_at > $2))
       ORDER BY is_exact DESC, r.created_at DESC LIMIT ${MAX_CANDIDATES})
     UNION ALL
     (SELECT scan_id::text, sha256, review_id, decided_by, created_at::float8, false
        FROM allowed_bytes
       WHERE endpoint_id = c.endpoint_id AND bucket = c.bucket AND size_bytes = c.size_bytes
         AND allowed_until > $3
       ORDER BY created_at DESC LIMIT ${MAX_CANDIDATES})) found`,
    [
      storableJson(
        candidates.map(({ ref, sizeBytes }, n) => ({
          n,
          endpoint_id: ref.endpointId,
          bucket: ref.bucket,
          key: ref.key,
          version_id: ref.versionId,
          size_bytes: sizeBytes,
        })),
      ),
      Math.round(now - UNVERSIONED_MS),
      Math.round(now),
    ],
  );
  const found: Allowance[][] = candidates.map(() => []);
  for (const row of rows)
    found[row.n]?.push({
      scanId: row.scan_id,
      sha256: row.sha256,
      reviewId: row.review_id,
      decidedBy: row.decided_by,
      at: row.at,
      isExact: row.is_exact,
    });
  return found;
}

/** Whose word a release rests on. */
export interface Decider {
  readonly reviewId?: string | undefined;
  readonly decidedBy?: string | undefined;
}

/**
 * Says before the copy is made which bytes will come, because their event may be faster than our next statement. What an
 * earlier decision announced and nobody wrote is announced anew: by whose word it comes, and when, is read afterwards.
 */
export async function announceRelease(
  tx: Queryable,
  release: { scanId: string; ref: ObjectRef; eTag: string; sha256: string; by: Decider; at: Instant },
): Promise<void> {
  const { scanId, ref, by, at } = release;
  const announced = await tx.query(
    `INSERT INTO released_object AS r (scan_id, endpoint_id, bucket, key, etag, sha256, is_written, review_id,
       decided_by, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, false, $7, $8, $9)
     ON CONFLICT (scan_id) DO UPDATE
       SET review_id = excluded.review_id, decided_by = excluded.decided_by, created_at = excluded.created_at
       WHERE r.written_at IS NULL AND NOT r.is_written AND r.review_id IS DISTINCT FROM excluded.review_id
     RETURNING scan_id`,
    [
      scanId,
      ref.endpointId,
      ref.bucket,
      ref.key,
      release.eTag,
      release.sha256,
      by.reviewId ?? null,
      by.decidedBy ?? null,
      Math.round(at),
    ],
  );
  if (announced.length === 0) return;
  const data = { sha256: release.sha256, ...by };
  await appendStep(tx, { scanId, move: 'release', step: 'announced', data, at });
}

/** The copy is written; nobody has read it back yet. */
export async function markReleaseWritten(
  tx: Queryable,
  written: { scanId: string; versionId: string | undefined; eTag: string; at: Instant },
): Promise<void> {
  const { scanId, versionId, eTag, at } = written;
  const changed = await tx.query(
    `UPDATE released_object SET version_id = $2, etag = $3, written_at = $4
      WHERE scan_id = $1 AND written_at IS NULL AND NOT is_written RETURNING scan_id`,
    [scanId, versionId ?? null, eTag, Math.round(at)],
  );
  if (changed.length === 0) return;
  await forgetUpload(tx, { scanId, move: 'release' });
  await appendStep(tx, { scanId, move: 'release', step: 'written', data: { versionId, eTag }, at });
}

/** What was written is gone, or does not hold the bytes: another copy is made. */
export async function forgetRelease(tx: Queryable, scanId: string, why: string, at: Instant): Promise<void> {
  const changed = await tx.query(
    `UPDATE released_object SET version_id = NULL, written_at = NULL
      WHERE scan_id = $1 AND written_at IS NOT NULL AND NOT is_written RETURNING scan_id`,
    [scanId],
  );
  if (changed.length === 0) return;
  await appendStep(tx, { scanId, move: 'release', step: 'copy_discarded', note: why, at });
}

/** The written copy was read back and holds the bytes that were let go. */
export async function markReleaseVerified(tx: Queryable, scanId: string, at: Instant): Promise<void> {
  const changed = await tx.query(
    `UPDATE released_object SET is_written = true WHERE scan_id = $1 AND NOT is_written RETURNING scan_id`,
    [scanId],
  );
  if (changed.length > 0) await appendStep(tx, { scanId, move: 'release', step: 'verified', at });
}

/** How far a release is. */
export interface ReleaseRow {
  readonly written?: { readonly versionId: string | undefined; readonly eTag: string } | undefined;
  readonly isVerified: boolean;
  readonly reviewId: string | undefined;
}

export async function readRelease(db: Queryable, scanId: string): Promise<ReleaseRow | undefined> {
  const [row] = await db.query<{
    version_id: string | null;
    etag: string;
    is_written: boolean;
    written_at: string | null;
    review_id: string | null;
  }>(`SELECT version_id, etag, is_written, written_at, review_id FROM released_object WHERE scan_id = $1`, [
    scanId,
  ]);
  if (row === undefined) return undefined;
  const isThere = row.is_written || row.written_at !== null;
  return {
    written: isThere ? { versionId: row.version_id ?? undefined, eTag: row.etag } : undefined,
    isVerified: row.is_written,
    reviewId: row.review_id ?? undefined,
  };
}

/** From now on these bytes may come again under any key of the bucket, because a person said so. Repeatable. */
export async function allowBytes(
  tx: Queryable,
  allowed: {
    scanId: string;
    ref: ObjectRef;
    sizeBytes: number;
    sha256: string;
    by: Decider;
    at: Instant;
    until: Instant;
  },
): Promise<void> {
  const { scanId, ref, by, at, until, sha256 } = allowed;
  const changed = await tx.query(
    `INSERT INTO allowed_bytes AS a (endpoint_id, bucket, size_bytes, sha256, scan_id, review_id, decided_by,
       created_at, allowed_until)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (endpoint_id, bucket, size_bytes, sha256) DO UPDATE
       SET scan_id = excluded.scan_id, review_id = excluded.review_id, decided_by = excluded.decided_by,
           created_at = excluded.created_at, allowed_until = excluded.allowed_until
       WHERE a.scan_id <> excluded.scan_id
     RETURNING scan_id`,
    [
      ref.endpointId,
      ref.bucket,
      allowed.sizeBytes,
      sha256,
      scanId,
      by.reviewId ?? null,
      by.decidedBy ?? null,
      Math.round(at),
      Math.round(until),
    ],
  );
  if (changed.length === 0) return;
  const data = { bucket: ref.bucket, sha256, until: new Date(until).toISOString(), ...by };
  await appendStep(tx, { scanId, move: 'release', step: 'bytes_allowed', data, at });
}
