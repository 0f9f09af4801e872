import type { Queryable } from '../../../../database/queryable.js';

/** The Slack account of a person in a workspace: the one that they linked last. */
export async function accountOfPerson(
  db: Queryable,
  teamId: string,
  personId: string,
): Promise<string | undefined> {
  const [row] = await db.query<{ user_id: string }>(
    `SELECT user_id FROM slack_identity WHERE team_id = $1 AND person_id = $2 ORDER BY linked_at DESC LIMIT 1`,
    [teamId, personId],
  );
  return row?.user_id;
}

/** Whether any Slack account speaks for a person. */
export async function isBound(db: Queryable, personId: string): Promise<boolean> {
  const rows = await db.query('SELECT 1 FROM slack_identity WHERE person_id = $1 LIMIT 1', [personId]);
  return rows.length > 0;
}
