import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';
import type { EngineReport } from '../../../verdicts/ledger.js';
import type { Person } from '../../rules/review.js';

export const ATTACHMENT_STATES = ['scanning', 'clean', 'refused'] as const;
export type AttachmentState = (typeof ATTACHMENT_STATES)[number];

/** A file beside a review; its bytes are elsewhere. */
export interface Attachment {
  readonly id: string;
  readonly reviewId: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly by: Person;
  readonly attachedAt: Instant;
  readonly state: AttachmentState;
  readonly verdict: string | null;
  readonly reason: string | null;
  /** A sentence, where it is refused. */
  readonly why: string | null;
  readonly engines: readonly EngineReport[] | null;
  readonly judgedAt: Instant | null;
  readonly attempts: number;
}

const COLUMNS = `id, review_id AS "reviewId", name, size_bytes AS "sizeBytes", sha256,
  json_build_object('id', attached_by, 'name', attached_by_name) AS by, attached_at::float8 AS "attachedAt", state,
  verdict, reason, why, engines, judged_at::float8 AS "judgedAt", attempts`;

/** Holds the review's row, so that its attachments are counted and added one after the other. */
export const holdReview = (tx: Queryable, reviewId: string): Promise<unknown> =>
  tx.query(`SELECT 1 FROM review WHERE id = $1 FOR NO KEY UPDATE`, [reviewId]);

/** The same file under the same name by the same person, unless it was refused. */
export async function sameAttachment(
  tx: Queryable,
  { reviewId, sha256, name, by }: Pick<Attachment, 'reviewId' | 'sha256' | 'name' | 'by'>,
): Promise<Attachment | undefined> {
  const [row] = await tx.query<Attachment>(
    `SELECT ${COLUMNS} FROM review_attachment
      WHERE review_id = $1 AND sha256 = $2 AND name = $3 AND attached_by = $4 AND state <> 'refused'
      ORDER BY attached_at LIMIT 1`,
    [reviewId, sha256, name, by.id],
  );
  return row;
}

/** @returns whether it was added: false when the review has so many already. Under {@link holdReview}. */
export async function insertAttachment(
  tx: Queryable,
  attachment: Pick<Attachment, 'id' | 'reviewId' | 'name' | 'sha256' | 'by' | 'attachedAt'>,
  bytes: Buffer,
  most: number,
): Promise<boolean> {
  const { id, reviewId, name, sha256, by, attachedAt } = attachment;
  const rows = await tx.query(
    `INSERT INTO review_attachment (id, review_id, name, size_bytes, sha256, attached_by, attached_by_name, attached_at,
                                    state, scan_after)
     SELECT $1, $2, $3, $4, $5, $6, $7, $8, 'scanning', $8
      WHERE (SELECT count(*) FROM review_attachment WHERE review_id = $2) < $9 RETURNING id`,
    [id, reviewId, name, bytes.length, sha256, by.id, by.name, attachedAt, most],
  );
  if (rows.length === 0) return false;
  await tx.query(`INSERT INTO review_attachment_bytes (attachment_id, bytes) VALUES ($1, $2)`, [id, bytes]);
  return true;
}

export const attachmentsOf = (db: Queryable, reviewId: string, limit: number): Promise<Attachment[]> =>
  db.query(
    `SELECT ${COLUMNS} FROM review_attachment WHERE review_id = $1 ORDER BY attached_at, id LIMIT $2`,
    [reviewId, limit],
  );

export async function findAttachment(
  db: Queryable,
  reviewId: string,
  id: string,
): Promise<Attachment | undefined> {
  const [row] = await db.query<Attachment>(
    `SELECT ${COLUMNS} FROM review_attachment WHERE review_id = $1 AND id = $2`,
    [reviewId, id],
  );
  return row;
}

/** Takes the next one that waits, until `until`; nobody else begins it before. Counts the attempt. */
export async function takeToScan(
  db: Queryable,
  { now, until }: { readonly now: Instant; readonly until: Instant },
): Promise<Attachment | undefined> {
  const [row] = await db.query<Attachment>(
    `UPDATE review_attachment SET attempts = attempts + 1, scan_after = $2
      WHERE id = (SELECT id FROM review_attachment WHERE state = 'scanning' AND scan_after <= $1
                   ORDER BY scan_after LIMIT 1 FOR UPDATE SKIP LOCKED)
      RETURNING ${COLUMNS}`,
    [now, until],
  );
  return row;
}

/** Waits for another attempt, unless somebody else has begun one. */
export const scanLater = (db: Queryable, { id, attempts }: Attachment, at: Instant): Promise<unknown> =>
  db.query(
    `UPDATE review_attachment SET scan_after = $3 WHERE id = $1 AND attempts = $2 AND state = 'scanning'`,
    [id, attempts, at],
  );

/** For whoever comes next: the attempt was broken off by us, and does not count. */
export const handBack = (db: Queryable, { id, attempts }: Attachment, at: Instant): Promise<unknown> =>
  db.query(
    `UPDATE review_attachment SET attempts = attempts - 1, scan_after = $3
      WHERE id = $1 AND attempts = $2 AND state = 'scanning'`,
    [id, attempts, at],
  );

/** @returns whether this attempt judged: false when another one began, or has. The bytes of a refused file go. */
export async function judgeAttachment(
  tx: Queryable,
  { id, attempts }: Attachment,
  judged: Pick<Attachment, 'verdict' | 'reason' | 'why' | 'engines'> & { readonly at: Instant },
): Promise<boolean> {
  const { verdict, reason, why, engines, at } = judged;
  const rows = await tx.query(
    `UPDATE review_attachment SET state = $3, verdict = $4, reason = $5, why = $6, engines = $7::json, judged_at = $8
      WHERE id = $1 AND attempts = $2 AND state = 'scanning' RETURNING id`,
    [
      id,
      attempts,
      why === null ? 'clean' : 'refused',
      verdict,
      reason,
      why,
      engines === null ? null : JSON.stringify(engines),
      at,
    ],
  );
  if (rows.length === 0) return false;
  if (why !== null) await tx.query(`DELETE FROM review_attachment_bytes WHERE attachment_id = $1`, [id]);
  return true;
}

/** A part of the bytes; undefined when they are not there. @param from counts from 0. */
export async function attachmentBytes(
  db: Queryable,
  id: string,
  from: number,
  length: number,
): Promise<Buffer | undefined> {
  const [row] = await db.query<{ part: Buffer }>(
    `SELECT substring(bytes FROM $2::int FOR $3::int) AS part FROM review_attachment_bytes WHERE attachment_id = $1`,
    [id, from + 1, length],
  );
  return row?.part;
}
