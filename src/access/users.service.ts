import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { appendAudit } from '../audit/audit.js';
import { changesBetween } from '../audit/changes.js';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import type { Queryable } from '../database/queryable.js';
import { Conflict, InvalidInput, NotFound } from '../errors.js';
import { endSessions, keepingAnAdmin, lockAccess } from './access-change.js';
import { MAX_PEOPLE } from './directory.js';
import { bindIdentity } from './oidc/bind-identity.js';
import { hashPassword, isPasswordHash } from './password.js';
import { knownRoles, type AccessRole } from './principal.js';

export interface UserRow {
  readonly id: string;
  readonly name: string;
  readonly display_name: string | null;
  readonly email: string | null;
  readonly password_hash: string;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly disabled: boolean;
  readonly created_at: string;
  /** At the identity provider; `null` for whoever has none. */
  readonly identity: { readonly issuer: string; readonly subject: string } | null;
}

/** What may be said of a person; what is left out stays. */
export interface UserChange {
  readonly name?: string | undefined;
  readonly displayName?: string | null | undefined;
  readonly email?: string | null | undefined;
  readonly roles?: readonly AccessRole[] | undefined;
  readonly disabled?: boolean | undefined;
}

export interface NewUser extends UserChange {
  readonly name: string;
  readonly password: string;
}

const SELECT = `
  SELECT u.id, u.name, u.display_name, u.email, u.password_hash, u.roles, u.disabled, u.created_at,
         ARRAY(SELECT g.name FROM access_group_member m JOIN access_group g ON g.id = m.group_id
               WHERE m.user_id = u.id ORDER BY lower(g.name)) AS groups,
         (SELECT json_build_object('issuer', i.issuer, 'subject', i.subject) FROM oidc_identity i
          WHERE i.user_id = u.id ORDER BY i.bound_at DESC LIMIT 1) AS identity
  FROM app_user u`;

/** The accounts of people. Nobody is removed: what they did keeps its name. */
@Injectable()
export class Users {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
  ) {}

  /** By name, those after `after`. */
  list(after: string | undefined, limit: number): Promise<UserRow[]> {
    return this.db.query<UserRow>(
      `${SELECT} WHERE $1::text IS NULL OR u.name > $1 ORDER BY u.name LIMIT $2`,
      [after ?? null, limit],
    );
  }

  /** @throws NotFound */
  get(id: string): Promise<UserRow> {
    return userIn(this.db, id);
  }

  /** @throws Conflict when the name is taken, in whatever case; InvalidInput for a password that is no use. */
  async create(wanted: NewUser, actor: string): Promise<UserRow> {
    checkPassword(wanted.password, wanted.name);
    const hash = await hashPassword(wanted.password);
    const id = randomUUID();
    const { name, displayName = null, email = null, roles = [], disabled = false } = wanted;
    return this.db.transaction(async (tx) => {
      await lockAccess(tx);
      await refuseTaken(tx, name, id);
      const [{ count } = { count: '0' }] = await tx.query<{ count: string }>('SELECT count(*) FROM app_user');
      if (Number(count) >= MAX_PEOPLE)
        throw new Conflict(`There are ${MAX_PEOPLE} people, and no room for more.`);
      const at = Math.round(this.clock.now());
      await tx.query(
        `INSERT INTO app_user (id, name, display_name, email, password_hash, roles, disabled, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [id, name, displayName, email, hash, roles, disabled, at],
      );
      const data = { name, displayName, email, roles, disabled };
      await appendAudit(tx, [{ at, actor, action: 'user.created', subject: `user:${id}`, data }]);
      return userIn(tx, id);
    });
  }

  /**
   * Changes what is said; disabling and other roles end the person's sessions.
   * @throws Conflict when nobody would be left who may do everything.
   */
  change(id: string, wanted: UserChange, actor: string): Promise<UserRow> {
    return this.db.transaction(async (tx) => {
      await lockAccess(tx);
      const before = await userIn(tx, id);
      const was = factsOf(before);
      const will = { ...was, ...said(wanted) };
      const changes = changesBetween(was, will);
      if (Object.keys(changes).length === 0) return before;
      if (will.name !== was.name) await refuseTaken(tx, will.name, id);
      await keepingAnAdmin(tx, () =>
        tx.query(
          `UPDATE app_user SET name = $2, display_name = $3, email = $4, roles = $5, disabled = $6 WHERE id = $1`,
          [id, will.name, will.displayName, will.email, will.roles, will.disabled],
        ),
      );
      if ('roles' in changes || 'disabled' in changes) await endSessions(tx, [id]);
      const action = will.disabled && !was.disabled ? 'user.disabled' : 'user.changed';
      const at = Math.round(this.clock.now());
      await appendAudit(tx, [{ at, actor, action, subject: `user:${id}`, data: changes }]);
      return userIn(tx, id);
    });
  }

  /**
   * Lets an identity at the provider open the account, whatever address it has: an admin vouches for it.
   * @throws Conflict when it opens another one, or the account has one.
   */
  async bindIdentity(id: string, issuer: string, subject: string, actor: string): Promise<UserRow> {
    return this.db.transaction(async (tx) => {
      await lockAccess(tx);
      const { identity } = await userIn(tx, id);
      if (identity?.issuer === issuer && identity.subject === subject) return userIn(tx, id);
      if (identity !== null)
        throw new Conflict(
          `This account is bound to ${identity.subject} at ${identity.issuer}. Release it first.`,
        );
      const [other] = await tx.query<{ name: string }>(
        `SELECT u.name FROM oidc_identity i JOIN app_user u ON u.id = i.user_id
         WHERE i.issuer = $1 AND i.subject = $2`,
        [issuer, subject],
      );
      if (other !== undefined)
        throw new Conflict(`subject: ${subject} is bound to ${other.name} already. Release that first.`);
      await bindIdentity(tx, { userId: id, issuer, subject, at: Math.round(this.clock.now()), actor });
      return userIn(tx, id);
    });
  }

  /**
   * The identity opens the account no more; sessions end, since it may have opened them. What its groups gave stays, and is
   * the account's own from now on.
   * @throws NotFound when there is none.
   */
  async releaseIdentity(id: string, actor: string): Promise<void> {
    await this.db.transaction(async (tx) => {
      await lockAccess(tx);
      const { identity, name } = await userIn(tx, id);
      if (identity === null) throw new NotFound(`${name} is bound to no identity.`);
      await tx.query('DELETE FROM oidc_identity WHERE user_id = $1', [id]);
      await endSessions(tx, [id]);
      const at = Math.round(this.clock.now());
      await appendAudit(tx, [
        { at, actor, action: 'user.identity_released', subject: `user:${id}`, data: identity },
      ]);
    });
  }

  /** Ends every session of the person. The caller has made sure that whoever asks may. */
  async setPassword(id: string, password: string, actor: string): Promise<void> {
    const user = await this.get(id);
    if (!isPasswordHash(user.password_hash))
      throw new Conflict(`${user.name} logs in through the identity provider and has no password here.`);
    checkPassword(password, user.name);
    const hash = await hashPassword(password);
    await this.db.transaction(async (tx) => {
      await lockAccess(tx);
      await tx.query('UPDATE app_user SET password_hash = $2 WHERE id = $1', [id, hash]);
      await endSessions(tx, [id]);
      const at = Math.round(this.clock.now());
      await appendAudit(tx, [{ at, actor, action: 'user.password_set', subject: `user:${id}`, data: {} }]);
    });
  }
}

export const rolesOf = ({ roles }: Pick<UserRow, 'roles'>): readonly AccessRole[] => knownRoles(roles);

async function userIn(db: Queryable, id: string): Promise<UserRow> {
  const [row] = await db.query<UserRow>(`${SELECT} WHERE u.id = $1`, [id]);
  if (row === undefined)
    throw new NotFound(`There is nobody with the id ${id}. GET /api/v1/users lists all.`);
  return row;
}

const factsOf = (row: UserRow) => ({
  name: row.name,
  displayName: row.display_name,
  email: row.email,
  roles: rolesOf(row),
  disabled: row.disabled,
});

/** What was said, without what was left out. */
const said = (wanted: UserChange): Partial<ReturnType<typeof factsOf>> =>
  Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));

async function refuseTaken(tx: Queryable, name: string, id: string): Promise<void> {
  const taken = await tx.query('SELECT 1 FROM app_user WHERE lower(name) = lower($1) AND id <> $2', [
    name,
    id,
  ]);
  if (taken.length > 0)
    throw new Conflict(`name: somebody is called ${name} already; upper and lower case count as the same.`);
}

const SHORTEST = 12;

function checkPassword(password: string, name: string): void {
  if (Array.from(password).length < SHORTEST)
    throw InvalidInput.field('password', `must be at least ${SHORTEST} characters; a few words will do`);
  if (password.toLowerCase().includes(name.toLowerCase()) && name.length >= SHORTEST / 2)
    throw InvalidInput.field('password', 'must not hold the name');
}
