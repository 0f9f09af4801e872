import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { Person } from '../rules/review.js';

/** A comment as it reads now. */
export interface StoredComment {
  readonly id: string;
  readonly reviewId: string;
  readonly author: Person;
  readonly text: string;
  readonly version: number;
  readonly createdAt: Instant;
  readonly editedAt?: Instant | undefined;
}

interface CommentRow {
  readonly id: string;
  readonly review_id: string;
  readonly author_id: string;
  readonly author_name: string;
  readonly text: string;
  readonly version: number;
  readonly created_at: string;
  readonly edited_at: string | null;
}

const toComment = (row: CommentRow): StoredComment => ({
  id: row.id,
  reviewId: row.review_id,
  author: { id: row.author_id, name: row.author_name },
  text: row.text,
  version: row.version,
  createdAt: Number(row.created_at),
  editedAt: row.edited_at === null ? undefined : Number(row.edited_at),
});

export const insertComment = (
  tx: Queryable,
  { id, reviewId, author, text, createdAt }: StoredComment,
): Promise<unknown> =>
  tx.query(
    `INSERT INTO review_comment (id, review_id, author_id, author_name, text, created_at)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [id, reviewId, author.id, author.name, text, createdAt],
  );

export async function findComment(
  db: Queryable,
  reviewId: string,
  id: string,
): Promise<StoredComment | undefined> {
  const [row] = await db.query<CommentRow>('SELECT * FROM review_comment WHERE review_id = $1 AND id = $2', [
    reviewId,
    id,
  ]);
  return row && toComment(row);
}

/** Writes only over the version that was looked at. @returns undefined when another is there by now. */
export async function editComment(
  tx: Queryable,
  { id, version }: StoredComment,
  text: string,
  at: Instant,
): Promise<StoredComment | undefined> {
  const [row] = await tx.query<CommentRow>(
    `UPDATE review_comment SET text = $3, version = version + 1, edited_at = $4
      WHERE id = $1 AND version = $2 RETURNING *`,
    [id, version, text, at],
  );
  return row && toComment(row);
}
