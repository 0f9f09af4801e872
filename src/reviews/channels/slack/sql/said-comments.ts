import type { Queryable } from '../../../../database/queryable.js';

/** Which version of a comment its thread was told the latest, 0 when that is not known; `undefined` of one that it was not told. */
export async function saidVersion(db: Queryable, commentId: string): Promise<number | undefined> {
  const [row] = await db.query<{ version: number }>(
    'SELECT version FROM slack_said_comment WHERE comment_id = $1',
    [commentId],
  );
  return row?.version;
}

/** Its thread was told a comment; it never goes back. */
export const noteSaid = (db: Queryable, commentId: string, version: number): Promise<unknown> =>
  db.query(
    `INSERT INTO slack_said_comment AS s (comment_id, version) VALUES ($1, $2)
     ON CONFLICT (comment_id) DO UPDATE SET version = greatest(s.version, excluded.version)`,
    [commentId, version],
  );
