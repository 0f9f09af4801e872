import type { Instant } from '../../../../clock.js';
import type { Queryable } from '../../../../database/queryable.js';

/** The Slack account of a person in a workspace: the one that they linked last, or last before a moment. */
export async function accountOfPerson(
  db: Queryable,
  teamId: string,
  personId: string,
  before?: Instant,
): Promise<string | undefined> {
  const [row] = await db.query<{ user_id: string }>(
    `SELECT user_id FROM slack_identity
      WHERE team_id = $1 AND person_id = $2 AND ($3::bigint IS NULL OR linked_at <= $3)
      ORDER BY linked_at DESC LIMIT 1`,
    [teamId, personId, before ?? null],
  );
  return row?.user_id;
}
