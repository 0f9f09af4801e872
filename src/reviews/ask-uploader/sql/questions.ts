import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';
import { MAX_WRONG_CODES } from '../../channels/mail/link.js';

/** One question to an uploader, and whether it still waits. */
export interface UploaderQuestion {
  readonly id: string;
  readonly reviewId: string;
  readonly question: string;
  readonly askedBy: string;
  readonly askedByName: string;
  readonly askedAt: Instant;
  readonly personId: string;
  readonly personName: string;
  readonly email: string;
  readonly answerBy: Instant;
  readonly endedAs: 'answered' | 'silent' | 'over' | null;
}

/** A mailed link, with the question that it is for. */
export interface QuestionLink extends UploaderQuestion {
  readonly codeHash: Buffer;
  readonly wrongCodes: number;
}

const COLUMNS = `q.id, q.review_id AS "reviewId", q.question, q.asked_by AS "askedBy", q.asked_by_name AS "askedByName",
  q.asked_at::float8 AS "askedAt", q.person_id AS "personId", q.person_name AS "personName", q.email,
  q.answer_by::float8 AS "answerBy", q.ended_as AS "endedAs"`;

/** @returns whether it was added: false while another waits, or after so many. */
export async function insertQuestion(
  tx: Queryable,
  question: UploaderQuestion,
  most: number,
): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO uploader_question (id, review_id, question, asked_by, asked_by_name, asked_at, person_id, person_name,
                                    email, answer_by)
     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
      WHERE (SELECT count(*) FROM uploader_question WHERE review_id = $2) < $11
     ON CONFLICT (review_id) WHERE ended_at IS NULL DO NOTHING RETURNING id`,
    [
      question.id,
      question.reviewId,
      question.question,
      question.askedBy,
      question.askedByName,
      question.askedAt,
      question.personId,
      question.personName,
      question.email,
      question.answerBy,
      most,
    ],
  );
  return rows.length === 1;
}

export async function findQuestion(db: Queryable, id: string): Promise<UploaderQuestion | undefined> {
  const [row] = await db.query<UploaderQuestion>(
    `SELECT ${COLUMNS} FROM uploader_question q WHERE q.id = $1`,
    [id],
  );
  return row;
}

export const insertQuestionLink = (
  db: Queryable,
  link: {
    readonly questionId: string;
    readonly tokenHash: Buffer;
    readonly codeHash: Buffer;
    readonly at: Instant;
  },
): Promise<unknown> =>
  db.query(
    `INSERT INTO uploader_question_link (token_sha256, code_sha256, question_id, created_at) VALUES ($1, $2, $3, $4)`,
    [link.tokenHash, link.codeHash, link.questionId, link.at],
  );

/** Reading it changes nothing. */
export async function findQuestionLink(db: Queryable, tokenHash: Buffer): Promise<QuestionLink | undefined> {
  const [row] = await db.query<QuestionLink>(
    `SELECT ${COLUMNS}, l.code_sha256 AS "codeHash", l.wrong_codes AS "wrongCodes"
       FROM uploader_question_link l JOIN uploader_question q ON q.id = l.question_id WHERE l.token_sha256 = $1`,
    [tokenHash],
  );
  return row;
}

/** Takes an attempt before the code is compared. @returns the attempts used; undefined when none was left. */
export async function takeAttempt(db: Queryable, tokenHash: Buffer): Promise<number | undefined> {
  const [row] = await db.query<{ wrong_codes: number }>(
    `UPDATE uploader_question_link SET wrong_codes = wrong_codes + 1 WHERE token_sha256 = $1 AND wrong_codes < $2
     RETURNING wrong_codes`,
    [tokenHash, MAX_WRONG_CODES],
  );
  return row?.wrong_codes;
}

/** The code was right: that attempt does not count. */
export const returnAttempt = (db: Queryable, tokenHash: Buffer): Promise<unknown> =>
  db.query(
    'UPDATE uploader_question_link SET wrong_codes = wrong_codes - 1 WHERE token_sha256 = $1 AND wrong_codes > 0',
    [tokenHash],
  );

/** @returns whether it was this call that ended it. */
export async function endQuestion(
  tx: Queryable,
  id: string,
  as: 'answered' | 'silent' | 'over',
  at: Instant,
): Promise<boolean> {
  const rows = await tx.query(
    'UPDATE uploader_question SET ended_as = $2, ended_at = $3 WHERE id = $1 AND ended_at IS NULL RETURNING id',
    [id, as, at],
  );
  return rows.length === 1;
}

/** Those that wait longer than they were to. */
export const silentQuestions = (db: Queryable, now: Instant, limit: number): Promise<UploaderQuestion[]> =>
  db.query(
    `SELECT ${COLUMNS} FROM uploader_question q WHERE q.ended_at IS NULL AND q.answer_by <= $1
      ORDER BY q.answer_by LIMIT $2`,
    [now, limit],
  );
