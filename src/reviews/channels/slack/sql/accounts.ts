import type { Instant } from '../../../../clock.js';
import type { Queryable } from '../../../../database/queryable.js';
import type { Person } from '../../../rules/review.js';
import { STANDINGS, type Standing } from '../people/standing.js';
import type { SlackAccount } from './identities.js';

/** What Slack said of an account when it was last asked. */
export interface CheckedAccount {
  readonly standing: Standing;
  readonly checkedAt: Instant;
}

/** What is known here of an account. */
export interface KnownAccount {
  /** For whom it speaks, if somebody linked it. */
  readonly person: Person | undefined;
  /** `undefined` when nobody looked, or a newer version found what this one does not know. */
  readonly checked: CheckedAccount | undefined;
}

/** @returns one for each, in their order. */
export async function findKnownAccounts(
  db: Queryable,
  accounts: readonly SlackAccount[],
): Promise<KnownAccount[]> {
  const rows = await db.query<{
    person_id: string | null;
    person_name: string | null;
    standing: string | null;
    checked_at: string | null;
  }>(
    `SELECT i.person_id, i.person_name, a.standing, a.checked_at
     FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (team_id, user_id, n)
     LEFT JOIN slack_identity i USING (team_id, user_id)
     LEFT JOIN slack_account a USING (team_id, user_id)
     ORDER BY k.n`,
    [accounts.map(({ teamId }) => teamId), accounts.map(({ userId }) => userId)],
  );
  return rows.map((row) => {
    const standing = STANDINGS.find((known) => known === row.standing);
    return {
      person:
        row.person_id === null ? undefined : { id: row.person_id, name: row.person_name ?? row.person_id },
      checked: standing === undefined ? undefined : { standing, checkedAt: Number(row.checked_at) },
    };
  });
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
