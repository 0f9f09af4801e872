import { randomUUID } from 'node:crypto';
import { appendAudit, type AuditEvent } from '../../audit/audit.js';
import { changesBetween } from '../../audit/changes.js';
import type { Clock } from '../../clock.js';
import type { Config } from '../../config.js';
import type { Database } from '../../database/database.js';
import type { Queryable } from '../../database/queryable.js';
import { Conflict } from '../../errors.js';
import type { Log } from '../../ops/log.js';
import { endSessions, keepingAnAdmin, lockAccess } from '../access-change.js';
import { MAX_PEOPLE } from '../directory.js';
import { isPasswordHash } from '../password.js';
import { ACCESS_ROLES, type AccessRole } from '../principal.js';
import { bindIdentity } from './bind-identity.js';
import type { Identified } from './claims.js';
import { givenBy } from './group-map.js';
import { SignInRefused } from './sign-in-refused.js';

const ACTOR = 'system:oidc';
/** Stands where a password's hash would; no password fits it. */
const NO_PASSWORD = 'provider';

interface Account {
  readonly id: string;
  readonly name: string;
  readonly display_name: string | null;
  readonly email: string | null;
  readonly password_hash: string;
  readonly roles: readonly string[];
  readonly disabled: boolean;
}

interface Bound extends Account {
  readonly given_roles: readonly string[];
  readonly given_groups: readonly string[];
}

const ACCOUNT = 'u.id, u.name, u.display_name, u.email, u.password_hash, u.roles, u.disabled';

const BOUND = `
  SELECT ${ACCOUNT}, i.given_roles, i.given_groups::text[] AS given_groups
  FROM oidc_identity i JOIN app_user u ON u.id = i.user_id
  WHERE i.issuer = $1 AND i.subject = $2`;

/** Two tell that an address is not one person's. */
const BY_ADDRESS = `
  SELECT ${ACCOUNT},
         'admin' = ANY (u.roles) OR EXISTS (
           SELECT 1 FROM access_group_member m JOIN access_group g ON g.id = m.group_id
           WHERE m.user_id = u.id AND 'admin' = ANY (g.roles)) AS is_admin,
         EXISTS (SELECT 1 FROM oidc_identity i WHERE i.user_id = u.id AND i.issuer = $2) AS is_bound
  FROM app_user u WHERE lower(u.email) = lower($1) LIMIT 2`;

/** Whose account somebody's identity at the provider opens, and what their groups there give here. */
export class Identities {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly config: Config,
    private readonly log: Log,
  ) {}

  /**
   * The account of whoever the provider says that this is: the one bound to the identity, else the one with the address,
   * else a new one, as far as the settings allow. Its groups and roles follow the provider's.
   * @returns the account's id. @throws SignInRefused
   */
  signIn(who: Identified): Promise<string> {
    return this.db.transaction(async (tx) => {
      // Two first sign-ins of one person make one account.
      await lockAccess(tx);
      const at = Math.round(this.clock.now());
      const bound = (await identityOf(tx, who)) ?? (await this.first(tx, who, at));
      if (bound.disabled)
        throw new SignInRefused('disabled', `${bound.name} is disabled.`, { userId: bound.id });
      await this.follow(tx, bound, who, at);
      return bound.id;
    });
  }

  private async first(tx: Queryable, who: Identified, at: number): Promise<Bound> {
    const account = await this.withTheAddress(tx, who);
    if (account === undefined) return this.create(tx, who, at);
    await bindIdentity(tx, { userId: account.id, ...who, at, actor: ACTOR });
    return { ...account, given_roles: [], given_groups: [] };
  }

  /** @throws SignInRefused where there is one that this identity must not open. */
  private async withTheAddress(tx: Queryable, who: Identified): Promise<Account | undefined> {
    const address = who.email ?? who.unverifiedEmail;
    if (address === null) return undefined;
    const accounts = await tx.query<Account & { is_admin: boolean; is_bound: boolean }>(BY_ADDRESS, [
      address,
      who.issuer,
    ]);
    const [account] = accounts;
    if (account === undefined) return undefined;
    const refuse = (refusal: 'unbound' | 'unverified', why: string): never => {
      throw new SignInRefused(refusal, `${account.name} has the address that the provider tells: ${why}`, {
        userId: account.id,
      });
    };
    if (accounts.length > 1) return refuse('unbound', 'and so has somebody else.');
    if (!this.config.OIDC_MATCH_EMAIL) return refuse('unbound', 'OIDC_MATCH_EMAIL is false.');
    if (who.email === null) return refuse('unverified', 'it does not vouch for it.');
    if (account.is_bound) return refuse('unbound', 'the account has another identity there.');
    // Whoever can make up an address at the provider would become admin here.
    if (account.is_admin) return refuse('unbound', 'an admin’s account is bound by an admin only.');
    if (account.disabled)
      throw new SignInRefused('disabled', `${account.name} is disabled.`, { userId: account.id });
    return account;
  }

  private async create(tx: Queryable, who: Identified, at: number): Promise<Bound> {
    if (this.config.OIDC_UNKNOWN !== 'create')
      throw new SignInRefused('unknown', `${who.login} has no account here, and OIDC_UNKNOWN is refuse.`);
    // Definitions, mentions and four eyes name people by login or address.
    const taken = await tx.query(
      'SELECT 1 FROM app_user WHERE lower(name) = lower($1) OR lower(email) = lower($1)',
      [who.login],
    );
    if (taken.length > 0) throw new SignInRefused('taken', `Somebody else is called ${who.login} here.`);
    const [{ count } = { count: '0' }] = await tx.query<{ count: string }>('SELECT count(*) FROM app_user');
    if (Number(count) >= MAX_PEOPLE)
      throw new Conflict(`There are ${MAX_PEOPLE} people, and no room for more.`);
    const account: Account = {
      id: randomUUID(),
      name: who.login,
      display_name: who.displayName,
      email: who.email,
      password_hash: NO_PASSWORD,
      roles: this.config.OIDC_NEW_ROLES,
      disabled: false,
    };
    await tx.query(
      `INSERT INTO app_user (id, name, display_name, email, password_hash, roles, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [account.id, account.name, account.display_name, account.email, NO_PASSWORD, account.roles, at],
    );
    const data = {
      name: account.name,
      displayName: account.display_name,
      email: account.email,
      roles: account.roles,
      disabled: false,
    };
    await appendAudit(tx, [
      { at, actor: ACTOR, action: 'user.created', subject: `user:${account.id}`, data },
    ]);
    await bindIdentity(tx, { userId: account.id, ...who, at, actor: ACTOR });
    return { ...account, given_roles: [], given_groups: [] };
  }

  /** What the provider gave last time and gives no more goes; what people gave here stays. */
  private async follow(tx: Queryable, account: Bound, who: Identified, at: number): Promise<void> {
    const wanted = givenBy(this.config.OIDC_GROUPS, who.groups);
    const roles = moved(account.roles, account.given_roles, wanted.roles);
    const groups = moved(
      await membershipsOf(tx, account.id),
      account.given_groups,
      await this.idsOf(tx, wanted.groups),
    );
    const isOfProvider = !isPasswordHash(account.password_hash);
    const was = { displayName: account.display_name, email: account.email, roles: inOrder(account.roles) };
    const will = {
      displayName: isOfProvider ? (who.displayName ?? was.displayName) : was.displayName,
      email: isOfProvider ? await freeAddress(tx, account, who) : was.email,
      roles: inOrder(roles.all),
    };
    const changes = changesBetween(was, will);
    const subject = `user:${account.id}`;
    const events: AuditEvent[] = [
      ...(Object.keys(changes).length > 0
        ? [{ at, actor: ACTOR, action: 'user.changed', subject, data: changes }]
        : []),
      ...groups.added.map((id) => membership(at, 'group.member_added', id, account.id)),
      ...groups.removed.map((id) => membership(at, 'group.member_removed', id, account.id)),
    ];
    await keepingAnAdmin(tx, async () => {
      if (Object.keys(changes).length > 0)
        await tx.query('UPDATE app_user SET display_name = $2, email = $3, roles = $4 WHERE id = $1', [
          account.id,
          will.displayName,
          will.email,
          will.roles,
        ]);
      await tx.query('DELETE FROM access_group_member WHERE user_id = $1 AND group_id = ANY ($2::uuid[])', [
        account.id,
        groups.removed,
      ]);
      await tx.query(
        'INSERT INTO access_group_member (group_id, user_id) SELECT unnest($2::uuid[]), $1 ON CONFLICT DO NOTHING',
        [account.id, groups.added],
      );
    });
    if ('roles' in changes || groups.added.length > 0 || groups.removed.length > 0)
      await endSessions(tx, [account.id]);
    await tx.query(
      `UPDATE oidc_identity SET given_roles = $3, given_groups = $4, signed_in_at = $5
       WHERE issuer = $1 AND subject = $2`,
      [who.issuer, who.subject, roles.given, groups.given, at],
    );
    await appendAudit(tx, events);
  }

  private async idsOf(tx: Queryable, names: readonly string[]): Promise<string[]> {
    const rows = await tx.query<{ id: string; name: string }>(
      'SELECT id, name FROM access_group WHERE lower(name) IN (SELECT lower(unnest($1::text[])))',
      [names],
    );
    const there = new Set(rows.map(({ name }) => name.toLowerCase()));
    const missing = names.filter((name) => !there.has(name.toLowerCase()));
    if (missing.length > 0)
      this.log.warn({ missing }, 'OIDC_GROUPS names groups that are not there; make them, or nobody joins');
    return rows.map(({ id }) => id);
  }
}

const identityOf = async (tx: Queryable, { issuer, subject }: Identified): Promise<Bound | undefined> =>
  (await tx.query<Bound>(BOUND, [issuer, subject]))[0];

/** What somebody has after the provider gave `wanted` in place of `given`; what they had otherwise stays theirs. */
function moved<T>(
  had: readonly T[],
  given: readonly T[],
  wanted: readonly T[],
): { all: T[]; given: T[]; added: T[]; removed: T[] } {
  const removed = had.filter((one) => given.includes(one) && !wanted.includes(one));
  const added = wanted.filter((one) => !had.includes(one));
  return {
    all: [...had.filter((one) => !removed.includes(one)), ...added],
    given: wanted.filter((one) => given.includes(one) || added.includes(one)),
    added,
    removed,
  };
}

const inOrder = (roles: readonly string[]): AccessRole[] =>
  ACCESS_ROLES.filter((role) => roles.includes(role));

const membershipsOf = async (tx: Queryable, userId: string): Promise<string[]> =>
  (
    await tx.query<{ id: string }>(
      'SELECT group_id::text AS id FROM access_group_member WHERE user_id = $1',
      [userId],
    )
  ).map(({ id }) => id);

/** The address that the provider vouches for, unless it is somebody else's here. */
async function freeAddress(tx: Queryable, account: Account, { email }: Identified): Promise<string | null> {
  if (email === null || email === account.email) return account.email;
  const others = await tx.query(
    'SELECT 1 FROM app_user WHERE lower(email) = lower($1) AND id <> $2 LIMIT 1',
    [email, account.id],
  );
  return others.length === 0 ? email : account.email;
}

const membership = (at: number, action: string, groupId: string, userId: string): AuditEvent => ({
  at,
  actor: ACTOR,
  action,
  subject: `group:${groupId}`,
  data: { member: userId },
});
