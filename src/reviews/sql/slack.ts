import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { Person } from '../rules/review.js';

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

export interface LinkRequest extends SlackAccount {
  readonly userName: string;
}

/** Keeps a request to link an account, under the hash of its one-time token; expired ones go. */
export async function insertLinkRequest(
  db: Queryable,
  request: LinkRequest & { readonly tokenHash: Buffer; readonly now: Instant; readonly expiresAt: Instant },
): Promise<void> {
  await db.query('DELETE FROM slack_link_request WHERE expires_at < $1', [request.now]);
  await db.query(
    `INSERT INTO slack_link_request (token_sha256, team_id, user_id, user_name, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [request.tokenHash, request.teamId, request.userId, request.userName, request.now, request.expiresAt],
  );
}

interface LinkRequestRow {
  readonly team_id: string;
  readonly user_id: string;
  readonly user_name: string;
}

const toRequest = (row: LinkRequestRow | undefined): LinkRequest | undefined =>
  row && { teamId: row.team_id, userId: row.user_id, userName: row.user_name };

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

/** Uses it up: of two at the same time one gets it. */
export async function takeLinkRequest(
  tx: Queryable,
  tokenHash: Buffer,
  now: Instant,
): Promise<LinkRequest | undefined> {
  const [row] = await tx.query<LinkRequestRow>(
    'DELETE FROM slack_link_request WHERE token_sha256 = $1 AND expires_at > $2 RETURNING *',
    [tokenHash, now],
  );
  return toRequest(row);
}

/** A copy of a review that people see in Slack. */
export interface SlackCopy {
  readonly channel: string;
  readonly ts: string;
}

export const insertSlackCopy = (
  db: Queryable,
  reviewId: string,
  copy: SlackCopy,
  now: Instant,
): Promise<unknown> =>
  db.query(
    `INSERT INTO review_message (review_id, channel, address, message_id, posted_at)
     VALUES ($1, 'slack', $2, $3, $4) ON CONFLICT (review_id, channel, address) DO NOTHING`,
    [reviewId, copy.channel, copy.ts, now],
  );

export async function slackCopies(db: Queryable, reviewId: string): Promise<SlackCopy[]> {
  const rows = await db.query<{ address: string; message_id: string }>(
    `SELECT address, message_id FROM review_message WHERE review_id = $1 AND channel = 'slack' ORDER BY address`,
    [reviewId],
  );
  return rows.map((row) => ({ channel: row.address, ts: row.message_id }));
}

/**
 * Reserves the next moment at which something may be sent, for all nodes together. @returns that moment, or
 * `undefined` when it is further away than the horizon; then nothing is reserved.
 */
export async function reservePace(
  db: Queryable,
  args: { name: string; now: Instant; intervalMs: number; horizonMs: number },
): Promise<Instant | undefined> {
  const [row] = await db.query<{ next_at: string }>(
    `INSERT INTO slack_pace AS p (name, next_at) VALUES ($1, $2::bigint + $3::bigint)
     ON CONFLICT (name) DO UPDATE SET next_at = greatest(p.next_at, $2::bigint) + $3::bigint
     WHERE p.next_at <= $2::bigint + $4::bigint
     RETURNING next_at`,
    [args.name, args.now, args.intervalMs, args.horizonMs],
  );
  return row && Number(row.next_at) - args.intervalMs;
}
