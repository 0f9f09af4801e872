import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';
import type { PinnedObject } from '../../../s3/object-storage.js';

/** One wish to have an object's bytes, and what came of it. */
export interface Download {
  readonly id: string;
  readonly reviewId: string;
  readonly object: PinnedObject & { readonly sizeBytes: number };
  readonly readFrom: 'quarantine' | 'bucket';
  readonly uploadedAs: string;
  readonly askedBy: string;
  readonly askedByName: string;
  readonly reason: string;
  readonly askedAt: Instant;
  /** Somebody else must agree first. */
  readonly needsGrant: boolean;
  readonly answer: 'granted' | 'refused' | null;
  readonly answeredBy: string | null;
  readonly answeredByName: string | null;
  readonly answeredAt: Instant | null;
  readonly answerReason: string | null;
  readonly expiresAt: Instant;
  readonly linkExpiresAt: Instant | null;
  readonly usedAt: Instant | null;
  readonly endedAt: Instant | null;
  readonly sentBytes: number | null;
  readonly sentSha256: string | null;
  readonly isWhole: boolean | null;
}

const COLUMNS = `id, review_id AS "reviewId", object, read_from AS "readFrom", uploaded_as AS "uploadedAs",
  asked_by AS "askedBy", asked_by_name AS "askedByName", reason, asked_at::float8 AS "askedAt",
  needs_grant AS "needsGrant", answer, answered_by AS "answeredBy", answered_by_name AS "answeredByName",
  answered_at::float8 AS "answeredAt", answer_reason AS "answerReason", expires_at::float8 AS "expiresAt",
  link_expires_at::float8 AS "linkExpiresAt", used_at::float8 AS "usedAt", ended_at::float8 AS "endedAt",
  sent_bytes::float8 AS "sentBytes", sent_sha256 AS "sentSha256", is_whole AS "isWhole"`;

/** @returns whether it was added: false when the review has so many already. */
export async function insertDownload(tx: Queryable, download: Download, most: number): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO review_download (id, review_id, object, read_from, uploaded_as, asked_by, asked_by_name, reason,
                                  asked_at, needs_grant, expires_at)
     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
      WHERE (SELECT count(*) FROM review_download WHERE review_id = $2) < $12 RETURNING id`,
    [
      download.id,
      download.reviewId,
      JSON.stringify(download.object),
      download.readFrom,
      download.uploadedAs,
      download.askedBy,
      download.askedByName,
      download.reason,
      download.askedAt,
      download.needsGrant,
      download.expiresAt,
      most,
    ],
  );
  return rows.length === 1;
}

export const downloadsOf = (db: Queryable, reviewId: string, limit: number): Promise<Download[]> =>
  db.query(
    `SELECT ${COLUMNS} FROM review_download WHERE review_id = $1 ORDER BY asked_at DESC, id LIMIT $2`,
    [reviewId, limit],
  );

export async function findDownload(
  db: Queryable,
  by: { readonly reviewId: string; readonly id: string } | { readonly tokenHash: Buffer },
): Promise<Download | undefined> {
  const [where, values] =
    'tokenHash' in by
      ? ['token_sha256 = $1', [by.tokenHash]]
      : ['review_id = $1 AND id = $2', [by.reviewId, by.id]];
  const [row] = await db.query<Download>(`SELECT ${COLUMNS} FROM review_download WHERE ${where}`, values);
  return row;
}

/** @returns whether this was the answer: false when there was one, it needs none, or it is too late. */
export async function answerDownload(
  tx: Queryable,
  id: string,
  said: {
    readonly answer: 'granted' | 'refused';
    readonly by: { readonly id: string; readonly name: string };
    readonly reason: string;
    readonly at: Instant;
    /** For a link, counted from the grant. */
    readonly expiresAt: Instant;
  },
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE review_download SET answer = $2, answered_by = $3, answered_by_name = $4, answer_reason = $5, answered_at = $6,
            expires_at = CASE WHEN $2 = 'granted' THEN $7 ELSE expires_at END
      WHERE id = $1 AND needs_grant AND answer IS NULL AND expires_at > $6 AND asked_by <> $3 RETURNING id`,
    [id, said.answer, said.by.id, said.by.name, said.reason, said.at, said.expiresAt],
  );
  return rows.length === 1;
}

/** The link that works from now on; one given before works no more. @returns whether there may be one. */
export async function giveLink(
  tx: Queryable,
  id: string,
  link: { readonly tokenHash: Buffer; readonly at: Instant; readonly expiresAt: Instant },
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE review_download SET token_sha256 = $2, link_expires_at = $4
      WHERE id = $1 AND used_at IS NULL AND expires_at > $3 AND (NOT needs_grant OR answer = 'granted') RETURNING id`,
    [id, link.tokenHash, link.at, link.expiresAt],
  );
  return rows.length === 1;
}

/** Uses the link up. @returns whether it was this call. */
export async function useLink(tx: Queryable, tokenHash: Buffer, at: Instant): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE review_download SET used_at = $2
      WHERE token_sha256 = $1 AND used_at IS NULL AND link_expires_at > $2 RETURNING id`,
    [tokenHash, at],
  );
  return rows.length === 1;
}

export const endDownload = (
  tx: Queryable,
  id: string,
  end: {
    readonly at: Instant;
    readonly sentBytes: number;
    readonly sentSha256: string;
    readonly isWhole: boolean;
  },
): Promise<unknown> =>
  tx.query(
    `UPDATE review_download SET ended_at = $2, sent_bytes = $3, sent_sha256 = $4, is_whole = $5
      WHERE id = $1 AND ended_at IS NULL`,
    [id, end.at, end.sentBytes, end.sentSha256, end.isWhole],
  );
