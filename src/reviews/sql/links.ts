import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import { MAX_WRONG_CODES } from '../channels/mail/link.js';
import type { Person } from '../rules/review.js';

/** One mailed link: whose it is and which review it asks about. */
export interface ReviewLink {
  readonly handle: string;
  readonly reviewId: string;
  readonly person: Person;
  readonly email: string;
  readonly codeHash: Buffer;
  readonly wrongCodes: number;
  readonly expiresAt: Instant;
  /** Digest of what the mail showed; absent in mails of an earlier release. */
  readonly subjectDigest?: string | undefined;
}

interface LinkRow {
  readonly id: string;
  readonly review_id: string;
  readonly person_id: string;
  readonly person_name: string;
  readonly email: string;
  readonly code_sha256: Buffer;
  readonly wrong_codes: number;
  readonly expires_at: string;
  readonly subject_digest: string | null;
}

export const insertLink = (
  db: Queryable,
  link: Omit<ReviewLink, 'wrongCodes'> & {
    readonly tokenHash: Buffer;
    readonly mailTokenHash: Buffer;
    readonly createdAt: Instant;
  },
): Promise<unknown> =>
  db.query(
    `INSERT INTO review_link (id, review_id, person_id, person_name, email, token_sha256, code_sha256,
                              created_at, expires_at, mail_sha256, subject_digest)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      link.handle,
      link.reviewId,
      link.person.id,
      link.person.name,
      link.email,
      link.tokenHash,
      link.codeHash,
      link.createdAt,
      link.expiresAt,
      link.mailTokenHash,
      link.subjectDigest ?? null,
    ],
  );

/** The link of a token, also when it expired or is locked. Reading it changes nothing. */
export async function findLink(db: Queryable, tokenHash: Buffer): Promise<ReviewLink | undefined> {
  const [row] = await db.query<LinkRow>('SELECT * FROM review_link WHERE token_sha256 = $1', [tokenHash]);
  return row && linkOf(row);
}

/** The link of the mail whose own addresses carry this token. */
export async function findLinkByMail(db: Queryable, mailTokenHash: Buffer): Promise<ReviewLink | undefined> {
  const [row] = await db.query<LinkRow>('SELECT * FROM review_link WHERE mail_sha256 = $1', [mailTokenHash]);
  return row && linkOf(row);
}

const linkOf = (row: LinkRow): ReviewLink => ({
  handle: row.id,
  reviewId: row.review_id,
  person: { id: row.person_id, name: row.person_name },
  email: row.email,
  codeHash: row.code_sha256,
  wrongCodes: row.wrong_codes,
  expiresAt: Number(row.expires_at),
  subjectDigest: row.subject_digest ?? undefined,
});

/**
 * Takes one of the link's attempts before the code is compared, so that many guesses at once get no more than one
 * after the other. @returns the attempts used, or `undefined` when none was left.
 */
export async function takeCodeAttempt(db: Queryable, handle: string): Promise<number | undefined> {
  const [row] = await db.query<{ wrong_codes: number }>(
    `UPDATE review_link SET wrong_codes = wrong_codes + 1 WHERE id = $1 AND wrong_codes < $2
     RETURNING wrong_codes`,
    [handle, MAX_WRONG_CODES],
  );
  return row?.wrong_codes;
}

/** The code was right: that attempt does not count. */
export const returnCodeAttempt = (db: Queryable, handle: string): Promise<unknown> =>
  db.query('UPDATE review_link SET wrong_codes = wrong_codes - 1 WHERE id = $1 AND wrong_codes > 0', [
    handle,
  ]);
