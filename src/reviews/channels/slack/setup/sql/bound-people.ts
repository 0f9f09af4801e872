import type { Queryable } from '../../../../../database/queryable.js';

/** Those of these people who linked an account of a workspace. */
export async function boundPeople(
  db: Queryable,
  teamId: string,
  personIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ person_id: string }>(
    'SELECT DISTINCT person_id FROM slack_identity WHERE team_id = $1 AND person_id = ANY($2::text[])',
    [teamId, personIds],
  );
  return new Set(rows.map((row) => row.person_id));
}
