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
