import type { Instant } from '../../../../clock.js';
import type { Queryable } from '../../../../database/queryable.js';
import type { SlackAccount } from './identities.js';

/** Somebody's Home tab: what they chose to see, and what they see. */
export interface HomeTab extends SlackAccount {
  /** As it was stored: perhaps of another release. */
  readonly filter: string;
  readonly shownSha256: Buffer | null;
  readonly viewHash: string | null;
}

const COLUMNS = `team_id AS "teamId", user_id AS "userId", filter, shown_sha256 AS "shownSha256", view_hash AS "viewHash"`;

/** Notes that somebody opened it; those that nobody opened for long go. @param filter when it is new. */
export async function openHomeTab(
  db: Queryable,
  { teamId, userId }: SlackAccount,
  args: { readonly filter: string; readonly now: Instant; readonly forgetBefore: Instant },
): Promise<void> {
  await db.query('DELETE FROM slack_home_tab WHERE opened_at < $1', [args.forgetBefore]);
  await db.query(
    `INSERT INTO slack_home_tab (team_id, user_id, filter, opened_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (team_id, user_id) DO UPDATE SET opened_at = excluded.opened_at`,
    [teamId, userId, args.filter, args.now],
  );
}

export const filterHomeTab = (
  db: Queryable,
  { teamId, userId }: SlackAccount,
  filter: string,
): Promise<unknown> =>
  db.query('UPDATE slack_home_tab SET filter = $3 WHERE team_id = $1 AND user_id = $2', [
    teamId,
    userId,
    filter,
  ]);

export async function findHomeTab(
  db: Queryable,
  { teamId, userId }: SlackAccount,
): Promise<HomeTab | undefined> {
  const [row] = await db.query<HomeTab>(
    `SELECT ${COLUMNS} FROM slack_home_tab WHERE team_id = $1 AND user_id = $2`,
    [teamId, userId],
  );
  return row;
}

/** Those that were opened since then, the latest first. */
export const homeTabsSince = (db: Queryable, since: Instant, limit: number): Promise<SlackAccount[]> =>
  db.query<SlackAccount>(
    `SELECT team_id AS "teamId", user_id AS "userId" FROM slack_home_tab
     WHERE opened_at >= $1 ORDER BY opened_at DESC LIMIT $2`,
    [since, limit],
  );

export const keepShownHome = (
  db: Queryable,
  { teamId, userId }: SlackAccount,
  shown: { readonly sha256: Buffer; readonly viewHash: string | undefined },
): Promise<unknown> =>
  db.query(
    `UPDATE slack_home_tab SET shown_sha256 = $3, view_hash = $4 WHERE team_id = $1 AND user_id = $2`,
    [teamId, userId, shown.sha256, shown.viewHash ?? null],
  );
