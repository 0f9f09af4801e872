import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { appendAudit } from '../audit/audit.js';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import type { Queryable } from '../database/queryable.js';
import { Conflict, InvalidInput, NotFound } from '../errors.js';
import { lockAccess } from './access-change.js';
import type { Grant } from './principal.js';

/** Who can hold a grant. */
export const HOLDER_KINDS = ['user', 'group', 'apikey'] as const;

export interface Holder {
  readonly kind: (typeof HOLDER_KINDS)[number];
  readonly id: string;
}

export interface GrantRow {
  readonly id: string;
  readonly holder_kind: Holder['kind'];
  readonly holder_id: string;
  readonly role: Grant['role'];
  readonly scope: string;
  readonly created_at: string;
  readonly created_by: string;
}

const MAX_GRANTS = 10_000;

/** Each by its id as text, which finds nothing where it is no id of the kind. */
const FIND_HOLDER: Readonly<Record<Holder['kind'], string>> = {
  user: 'SELECT 1 FROM app_user WHERE id::text = $1',
  group: 'SELECT 1 FROM access_group WHERE id::text = $1',
  apikey: 'SELECT 1 FROM api_key WHERE id = $1',
};

/** Roles that are held for one thing only: approver of one review queue, owner of what one group owns. */
@Injectable()
export class Grants {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
  ) {}

  /** By id, those after `after`; of one holder, and of one scope, where they are named. */
  list(
    holder: Partial<Holder>,
    scope: string | undefined,
    after: string | undefined,
    limit: number,
  ): Promise<GrantRow[]> {
    return this.db.query<GrantRow>(
      `SELECT * FROM access_grant
       WHERE ($1::text IS NULL OR holder_kind = $1) AND ($2::text IS NULL OR holder_id = $2)
         AND ($3::uuid IS NULL OR id > $3) AND ($5::text IS NULL OR scope = $5)
       ORDER BY id LIMIT $4`,
      [holder.kind ?? null, holder.id ?? null, after ?? null, limit, scope ?? null],
    );
  }

  /** The same grant once more is the one that there is. @throws InvalidInput when there is no such holder. */
  give(holder: Holder, { role, scope }: Grant, actor: string): Promise<GrantRow> {
    return this.inTurn(async (tx, at) => {
      if ((await tx.query(FIND_HOLDER[holder.kind], [holder.id])).length === 0)
        throw InvalidInput.field('holder.id', `there is no ${holder.kind} with this id`);
      if (role === 'owner') await checkOwner(tx, holder, scope);
      const [{ count } = { count: '0' }] = await tx.query<{ count: string }>(
        'SELECT count(*) FROM access_grant',
      );
      if (Number(count) >= MAX_GRANTS)
        throw new Conflict(
          `There are ${MAX_GRANTS} grants, and no room for more. Give them to groups instead.`,
        );
      const [made] = await tx.query<GrantRow>(
        `INSERT INTO access_grant (id, holder_kind, holder_id, role, scope, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (holder_kind, holder_id, role, scope) DO NOTHING RETURNING *`,
        [randomUUID(), holder.kind, holder.id, role, scope, at, actor],
      );
      if (made === undefined) {
        const [there] = await tx.query<GrantRow>(
          'SELECT * FROM access_grant WHERE holder_kind = $1 AND holder_id = $2 AND role = $3 AND scope = $4',
          [holder.kind, holder.id, role, scope],
        );
        if (there === undefined) throw new Conflict('The grant was taken back meanwhile. Try again.');
        return there;
      }
      const subject = `${holder.kind}:${holder.id}`;
      const data = { grant: made.id, role, scope };
      await appendAudit(tx, [{ at, actor, action: 'grant.given', subject, data }]);
      return made;
    });
  }

  /** @throws NotFound */
  take(id: string, actor: string): Promise<void> {
    return this.inTurn(async (tx, at) => {
      const [gone] = await tx.query<GrantRow>('DELETE FROM access_grant WHERE id = $1 RETURNING *', [id]);
      if (gone === undefined) throw new NotFound(`There is no grant ${id}. GET /api/v1/grants lists all.`);
      const subject = `${gone.holder_kind}:${gone.holder_id}`;
      const data = { grant: id, role: gone.role, scope: gone.scope };
      await appendAudit(tx, [{ at, actor, action: 'grant.taken', subject, data }]);
    });
  }

  private inTurn<T>(work: (tx: Queryable, at: number) => Promise<T>): Promise<T> {
    return this.db.transaction(async (tx) => {
      await lockAccess(tx);
      return work(tx, Math.round(this.clock.now()));
    });
  }
}

/** @throws InvalidInput where the grant would never count. */
async function checkOwner(tx: Queryable, { kind, id }: Holder, groupId: string): Promise<void> {
  const groups = await tx.query('SELECT 1 FROM access_group WHERE id::text = $1', [groupId]);
  if (groups.length === 0)
    throw InvalidInput.field('scope', 'must be the id of the group whose things the owner may administer');
  if (kind === 'group' && id !== groupId)
    throw InvalidInput.field('holder.id', 'a group is owner of its own things only: name it as scope, too');
  if (kind !== 'user') return;
  const members = await tx.query(
    'SELECT 1 FROM access_group_member WHERE group_id::text = $1 AND user_id::text = $2',
    [groupId, id],
  );
  if (members.length === 0)
    throw InvalidInput.field('holder.id', 'is no member of the group. Add them to it first');
}
