import type { Instant } from '../../../../clock.js';
import type { Queryable } from '../../../../database/queryable.js';
import { STANDINGS, type Standing } from '../people/standing.js';
import type { SlackAccount } from './identities.js';

/** What Slack said of an account when it was last asked. */
export interface CheckedAccount {
  readonly standing: Standing;
  readonly checkedAt: Instant;
}

export async function findCheckedAccount(
  db: Queryable,
  account: SlackAccount,
): Promise<CheckedAccount | undefined> {
  const [row] = await db.query<{ standing: string; checked_at: string }>(
    'SELECT standing, checked_at FROM slack_account WHERE team_id = $1 AND user_id = $2',
    [account.teamId, account.userId],
  );
  // A newer version may know others; then it is as if nobody had looked.
  const standing = STANDINGS.find((known) => known === row?.standing);
  return row && standing && { standing, checkedAt: Number(row.checked_at) };
}

/** Keeps what Slack said; what was heard earlier does not take the place of what was heard later. */
export const keepCheckedAccount = (
  db: Queryable,
  account: SlackAccount & CheckedAccount & { readonly name: string | undefined },
): Promise<unknown> =>
  db.query(
    `INSERT INTO slack_account AS a (team_id, user_id, standing, name, checked_at) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (team_id, user_id) DO UPDATE
     SET standing = excluded.standing, name = excluded.name, checked_at = excluded.checked_at
     WHERE a.checked_at <= excluded.checked_at`,
    [account.teamId, account.userId, account.standing, account.name ?? null, account.checkedAt],
  );

/** Whether anybody ever acted with the account, or it speaks for somebody. */
export async function isKnownAccount(db: Queryable, account: SlackAccount): Promise<boolean> {
  const rows = await db.query(
    `SELECT 1 FROM slack_account WHERE team_id = $1 AND user_id = $2
     UNION ALL SELECT 1 FROM slack_identity WHERE team_id = $1 AND user_id = $2 LIMIT 1`,
    [account.teamId, account.userId],
  );
  return rows.length > 0;
}

/** Those that nobody acted with for long go; one that speaks for somebody keeps its name for whoever looks. */
export const forgetAccounts = (db: Queryable, checkedBefore: Instant): Promise<unknown> =>
  db.query(
    `DELETE FROM slack_account a WHERE checked_at < $1
       AND NOT EXISTS (SELECT 1 FROM slack_identity i WHERE i.team_id = a.team_id AND i.user_id = a.user_id)`,
    [checkedBefore],
  );
