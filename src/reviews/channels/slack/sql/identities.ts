import type { Instant } from '../../../../clock.js';
import type { Queryable } from '../../../../database/queryable.js';
import type { Person } from '../../../rules/review.js';

/** A Slack account: user ids are unique within their team only. */
export interface SlackAccount {
  readonly teamId: string;
  readonly userId: string;
}

/** The local person of a Slack account, if somebody linked it. */
export async function findSlackPerson(db: Queryable, account: SlackAccount): Promise<Person | undefined> {
  const [row] = await db.query<{ person_id: string; person_name: string }>(
    'SELECT person_id, person_name FROM slack_identity WHERE team_id = $1 AND user_id = $2',
    [account.teamId, account.userId],
  );
  return row && { id: row.person_id, name: row.person_name };
}

/** Binds an account to a person; a later link replaces an earlier one. */
export const bindSlackPerson = (
  tx: Queryable,
  account: SlackAccount,
  person: Person,
  now: Instant,
): Promise<unknown> =>
  tx.query(
    `INSERT INTO slack_identity (team_id, user_id, person_id, person_name, linked_at)
     VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (team_id, user_id) DO UPDATE
     SET person_id = excluded.person_id, person_name = excluded.person_name, linked_at = excluded.linked_at`,
    [account.teamId, account.userId, person.id, person.name, now],
  );

/** The account is nobody's any more. @returns whose it was, and how Slack last called it. */
export async function unbindSlackPerson(
  tx: Queryable,
  account: SlackAccount,
): Promise<{ readonly person: Person; readonly userName: string | undefined } | undefined> {
  const [row] = await tx.query<{ person_id: string; person_name: string; user_name: string | null }>(
    `DELETE FROM slack_identity i WHERE team_id = $1 AND user_id = $2
     RETURNING person_id, person_name,
       (SELECT a.name FROM slack_account a WHERE a.team_id = i.team_id AND a.user_id = i.user_id) AS user_name`,
    [account.teamId, account.userId],
  );
  return (
    row && { person: { id: row.person_id, name: row.person_name }, userName: row.user_name ?? undefined }
  );
}

/** An account that speaks for somebody. */
export interface LinkedAccount extends SlackAccount {
  readonly userName: string | undefined;
  readonly person: Person;
  readonly linkedAt: Instant;
  /** What Slack said of it when it was last asked. */
  readonly standing: string | undefined;
  readonly checkedAt: Instant | undefined;
}

export interface PeopleFilter {
  readonly personId?: string | undefined;
  /** Those that come after this one. */
  readonly after?: SlackAccount | undefined;
  readonly limit: number;
}

export async function listSlackPeople(db: Queryable, filter: PeopleFilter): Promise<LinkedAccount[]> {
  const rows = await db.query<{
    team_id: string;
    user_id: string;
    person_id: string;
    person_name: string;
    linked_at: string;
    name: string | null;
    standing: string | null;
    checked_at: string | null;
  }>(
    `SELECT i.*, a.name, a.standing, a.checked_at
     FROM slack_identity i LEFT JOIN slack_account a USING (team_id, user_id)
     WHERE ($1::text IS NULL OR i.person_id = $1)
       AND ($2::text IS NULL OR (i.team_id, i.user_id) > ($2, $3))
     ORDER BY i.team_id, i.user_id LIMIT $4`,
    [filter.personId ?? null, filter.after?.teamId ?? null, filter.after?.userId ?? null, filter.limit],
  );
  return rows.map((row) => ({
    teamId: row.team_id,
    userId: row.user_id,
    userName: row.name ?? undefined,
    person: { id: row.person_id, name: row.person_name },
    linkedAt: Number(row.linked_at),
    standing: row.standing ?? undefined,
    checkedAt: row.checked_at === null ? undefined : Number(row.checked_at),
  }));
}

export interface LinkRequest extends SlackAccount {
  readonly userName: string;
  /** The only person who may follow it; whoever is signed in when absent. */
  readonly personId?: string | undefined;
}

/** Keeps a request to link an account, under the hash of its one-time token; expired ones go, and what was proposed before. */
export async function insertLinkRequest(
  db: Queryable,
  request: LinkRequest & { readonly tokenHash: Buffer; readonly now: Instant; readonly expiresAt: Instant },
): Promise<void> {
  await db.query(
    `DELETE FROM slack_link_request
     WHERE expires_at < $1 OR (team_id = $2 AND user_id = $3 AND person_id = $4)`,
    [request.now, request.teamId, request.userId, request.personId ?? null],
  );
  await db.query(
    `INSERT INTO slack_link_request
       (token_sha256, team_id, user_id, user_name, created_at, expires_at, person_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      request.tokenHash,
      request.teamId,
      request.userId,
      request.userName,
      request.now,
      request.expiresAt,
      request.personId ?? null,
    ],
  );
}

interface LinkRequestRow {
  readonly team_id: string;
  readonly user_id: string;
  readonly user_name: string;
  readonly person_id: string | null;
}

const toRequest = (row: LinkRequestRow | undefined): LinkRequest | undefined =>
  row && {
    teamId: row.team_id,
    userId: row.user_id,
    userName: row.user_name,
    personId: row.person_id ?? undefined,
  };

/** Looks without using it up. */
export async function findLinkRequest(
  db: Queryable,
  tokenHash: Buffer,
  now: Instant,
): Promise<LinkRequest | undefined> {
  const [row] = await db.query<LinkRequestRow>(
    'SELECT * FROM slack_link_request WHERE token_sha256 = $1 AND expires_at > $2',
    [tokenHash, now],
  );
  return toRequest(row);
}

/**
 * Uses it up, and every other one of the same account with it. They are locked in one order, so that of two people who
 * follow two of them at the same moment the second finds the first linked.
 */
export async function takeLinkRequest(
  tx: Queryable,
  tokenHash: Buffer,
  now: Instant,
): Promise<LinkRequest | undefined> {
  const rows = await tx.query<LinkRequestRow & { readonly token_sha256: Buffer }>(
    `SELECT * FROM slack_link_request
     WHERE (team_id, user_id) IN
       (SELECT team_id, user_id FROM slack_link_request WHERE token_sha256 = $1 AND expires_at > $2)
     ORDER BY token_sha256 FOR UPDATE`,
    [tokenHash, now],
  );
  const taken = rows.find(({ token_sha256: hash }) => hash.equals(tokenHash));
  if (taken === undefined) return undefined;
  await tx.query('DELETE FROM slack_link_request WHERE token_sha256 = ANY($1::bytea[])', [
    rows.map(({ token_sha256: hash }) => hash),
  ]);
  return toRequest(taken);
}
