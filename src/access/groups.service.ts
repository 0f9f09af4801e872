import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { appendAudit } from '../audit/audit.js';
import { changesBetween } from '../audit/changes.js';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import type { Queryable } from '../database/queryable.js';
import { Conflict, NotFound } from '../errors.js';
import { endSessions, keepingAnAdmin, lockAccess } from './access-change.js';
import { MAX_GROUPS, MAX_PEOPLE } from './directory.js';
import { knownRoles, type AccessRole } from './principal.js';

export interface GroupRow {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly member_count: number;
  readonly created_at: string;
  readonly created_by: string;
}

export interface MemberRow {
  readonly id: string;
  readonly name: string;
}

const SELECT = `
  SELECT g.id, g.name, g.roles, g.created_at, g.created_by,
         (SELECT count(*)::int FROM access_group_member m WHERE m.group_id = g.id) AS member_count
  FROM access_group g`;

/** Groups of people, who have the group's roles beside their own. */
@Injectable()
export class Groups {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
  ) {}

  /** All of them by name. */
  list(): Promise<GroupRow[]> {
    return this.db.query<GroupRow>(`${SELECT} ORDER BY lower(g.name) LIMIT $1`, [MAX_GROUPS]);
  }

  /** @throws NotFound */
  get(id: string): Promise<GroupRow> {
    return groupIn(this.db, id);
  }

  members(id: string): Promise<MemberRow[]> {
    return this.db.query<MemberRow>(
      `SELECT u.id, u.name FROM access_group_member m JOIN app_user u ON u.id = m.user_id
       WHERE m.group_id = $1 ORDER BY u.name LIMIT $2`,
      [id, MAX_PEOPLE],
    );
  }

  /** @throws Conflict when the name is taken, in whatever case. */
  create(name: string, roles: readonly AccessRole[], actor: string): Promise<GroupRow> {
    return this.inTurn(async (tx, at) => {
      const id = randomUUID();
      await refuseTaken(tx, name, id);
      const [{ count } = { count: '0' }] = await tx.query<{ count: string }>(
        'SELECT count(*) FROM access_group',
      );
      if (Number(count) >= MAX_GROUPS)
        throw new Conflict(`There are ${MAX_GROUPS} groups, and no room for more. Delete one first.`);
      await tx.query(
        'INSERT INTO access_group (id, name, roles, created_at, created_by) VALUES ($1, $2, $3, $4, $5)',
        [id, name, roles, at, actor],
      );
      const data = { name, roles };
      await appendAudit(tx, [{ at, actor, action: 'group.created', subject: `group:${id}`, data }]);
      return groupIn(tx, id);
    });
  }

  /** Other roles end the sessions of the members. */
  change(
    id: string,
    wanted: { readonly name?: string | undefined; readonly roles?: readonly AccessRole[] | undefined },
    actor: string,
  ): Promise<GroupRow> {
    return this.inTurn(async (tx, at) => {
      const before = await groupIn(tx, id);
      const was = { name: before.name, roles: knownRoles(before.roles) };
      const will = { name: wanted.name ?? was.name, roles: wanted.roles ?? was.roles };
      const data = changesBetween(was, will);
      if (Object.keys(data).length === 0) return before;
      await refuseTaken(tx, will.name, id);
      await keepingAnAdmin(tx, () =>
        tx.query('UPDATE access_group SET name = $2, roles = $3 WHERE id = $1', [id, will.name, will.roles]),
      );
      if ('roles' in data) await endSessions(tx, await memberIds(tx, id));
      await appendAudit(tx, [{ at, actor, action: 'group.changed', subject: `group:${id}`, data }]);
      return groupIn(tx, id);
    });
  }

  /** Its memberships and grants go with it, what it owns becomes nobody's, and its members' sessions where it gave them roles. */
  remove(id: string, actor: string): Promise<void> {
    return this.inTurn(async (tx, at) => {
      const { name, roles } = await groupIn(tx, id);
      const members = await memberIds(tx, id);
      const grants = await tx.query<{ role: string; scope: string }>(
        `DELETE FROM access_grant
         WHERE (holder_kind = 'group' AND holder_id = $1) OR (role = 'owner' AND scope = $1)
         RETURNING role, scope`,
        [id],
      );
      await keepingAnAdmin(tx, () => tx.query('DELETE FROM access_group WHERE id = $1', [id]));
      if (roles.length > 0 || grants.length > 0) await endSessions(tx, members);
      const data = { name, members, grants };
      await appendAudit(tx, [{ at, actor, action: 'group.deleted', subject: `group:${id}`, data }]);
    });
  }

  /** Once more changes nothing. */
  addMember(id: string, userId: string, actor: string): Promise<void> {
    return this.inTurn(async (tx, at) => {
      const group = await groupIn(tx, id);
      const known = await tx.query('SELECT 1 FROM app_user WHERE id = $1', [userId]);
      if (known.length === 0)
        throw new NotFound(`There is nobody with the id ${userId}. GET /api/v1/users lists all.`);
      const added = await tx.query(
        'INSERT INTO access_group_member (group_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1',
        [id, userId],
      );
      if (added.length === 0) return;
      if (group.roles.length > 0) await endSessions(tx, [userId]);
      const data = { member: userId };
      await appendAudit(tx, [{ at, actor, action: 'group.member_added', subject: `group:${id}`, data }]);
    });
  }

  removeMember(id: string, userId: string, actor: string): Promise<void> {
    return this.inTurn(async (tx, at) => {
      await groupIn(tx, id);
      const removed = await keepingAnAdmin(tx, () =>
        tx.query('DELETE FROM access_group_member WHERE group_id = $1 AND user_id = $2 RETURNING 1', [
          id,
          userId,
        ]),
      );
      if (removed.length === 0) throw new NotFound(`${userId} is no member of this group.`);
      await endSessions(tx, [userId]);
      const data = { member: userId };
      await appendAudit(tx, [{ at, actor, action: 'group.member_removed', subject: `group:${id}`, data }]);
    });
  }

  private inTurn<T>(work: (tx: Queryable, at: number) => Promise<T>): Promise<T> {
    return this.db.transaction(async (tx) => {
      await lockAccess(tx);
      return work(tx, Math.round(this.clock.now()));
    });
  }
}

async function groupIn(db: Queryable, id: string): Promise<GroupRow> {
  const [row] = await db.query<GroupRow>(`${SELECT} WHERE g.id = $1`, [id]);
  if (row === undefined) throw new NotFound(`There is no group ${id}. GET /api/v1/groups lists all.`);
  return row;
}

async function memberIds(tx: Queryable, id: string): Promise<string[]> {
  const rows = await tx.query<{ user_id: string }>(
    'SELECT user_id FROM access_group_member WHERE group_id = $1',
    [id],
  );
  return rows.map((row) => row.user_id);
}

async function refuseTaken(tx: Queryable, name: string, id: string): Promise<void> {
  const taken = await tx.query('SELECT 1 FROM access_group WHERE lower(name) = lower($1) AND id <> $2', [
    name,
    id,
  ]);
  if (taken.length > 0)
    throw new Conflict(`name: a group is called ${name} already; upper and lower case count as the same.`);
}
