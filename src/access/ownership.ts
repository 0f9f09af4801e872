import { Injectable } from '@nestjs/common';
import { appendAudit } from '../audit/audit.js';
import { Clock } from '../clock.js';
import { isUuid } from '../cursor.js';
import { Database } from '../database/database.js';
import type { Queryable } from '../database/queryable.js';
import { Conflict, NotFound } from '../errors.js';
import { lockAccess } from './access-change.js';
import { LOOK_UP_MS } from './in-time.js';
import type { Owned, OwnedKind, Principal } from './principal.js';

export interface OwnedThing {
  readonly kind: OwnedKind;
  readonly name: string;
}

const MAX_OWNED = 10_000;

/** Buckets, review queues, definitions and rules that belong to groups. A thing belongs to one group, or to nobody. */
@Injectable()
export class Ownership {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
  ) {}

  /** Whether all of it belongs to groups in which somebody is owner. Nothing at all does not. */
  async covers({ grants = [] }: Pick<Principal, 'grants'>, asked: readonly Owned[]): Promise<boolean> {
    const groups = new Set(grants.filter(({ role }) => role === 'owner').map(({ scope }) => scope));
    if (groups.size === 0 || asked.length === 0) return false;
    const things = (await Promise.all(asked.map((one) => this.thingsOf(one)))).flat();
    if (things.some((thing) => thing === undefined)) return false;
    const known = things.filter((thing) => thing !== undefined);
    const owners = await this.ownersOf(known);
    return known.every((thing) => {
      const owner = owners.get(placeOf(thing));
      return owner === undefined ? thing.orNobodys === true : groups.has(owner);
    });
  }

  /** By kind and name. @throws NotFound */
  async list(groupId: string): Promise<OwnedThing[]> {
    await groupNamed(this.db, groupId);
    return this.db.query<OwnedThing>(
      'SELECT kind, name FROM access_owned WHERE group_id = $1 ORDER BY kind, name LIMIT $2',
      [groupId, MAX_OWNED],
    );
  }

  /** Once more changes nothing. @throws NotFound; Conflict when it belongs to another group. */
  give(groupId: string, { kind, name }: OwnedThing, actor: string): Promise<void> {
    return this.inTurn(async (tx, at) => {
      await groupNamed(tx, groupId);
      const [there] = await tx.query<{ group_id: string; owner: string }>(
        `SELECT o.group_id, g.name AS owner FROM access_owned o JOIN access_group g ON g.id = o.group_id
         WHERE o.kind = $1 AND o.name = $2`,
        [kind, name],
      );
      if (there?.group_id === groupId.toLowerCase()) return;
      if (there !== undefined)
        throw new Conflict(
          `The ${kind} ${name} belongs to the group ${there.owner}. Take it from that first.`,
        );
      const [{ count } = { count: '0' }] = await tx.query<{ count: string }>(
        'SELECT count(*) FROM access_owned',
      );
      if (Number(count) >= MAX_OWNED)
        throw new Conflict(`Groups own ${MAX_OWNED} things, and there is no room for more. Take some first.`);
      await tx.query(
        'INSERT INTO access_owned (kind, name, group_id, given_at, given_by) VALUES ($1, $2, $3, $4, $5)',
        [kind, name, groupId, at, actor],
      );
      const data = { kind, name };
      await appendAudit(tx, [{ at, actor, action: 'group.owned_given', subject: `group:${groupId}`, data }]);
    });
  }

  /** It belongs to nobody from then on. @throws NotFound */
  take(groupId: string, { kind, name }: OwnedThing, actor: string): Promise<void> {
    return this.inTurn(async (tx, at) => {
      await groupNamed(tx, groupId);
      const gone = await tx.query(
        'DELETE FROM access_owned WHERE group_id = $1 AND kind = $2 AND name = $3 RETURNING 1',
        [groupId, kind, name],
      );
      if (gone.length === 0) throw new NotFound(`The group does not own the ${kind} ${name}.`);
      const data = { kind, name };
      await appendAudit(tx, [{ at, actor, action: 'group.owned_taken', subject: `group:${groupId}`, data }]);
    });
  }

  /** What stands behind it; `undefined` for what there is not. */
  private async thingsOf({ kind, name, orNobodys }: Owned): Promise<readonly (Thing | undefined)[]> {
    // PostgreSQL takes no NUL, and nothing is called so.
    if (name.includes('\u0000')) return [undefined];
    const more = orNobodys === undefined ? {} : { orNobodys };
    if (kind === 'grant') {
      if (!isUuid(name)) return [undefined];
      const rows = await this.db.query<{ scope: string }>(
        `SELECT scope FROM access_grant WHERE id = $1 AND role = 'approver'`,
        [name],
        LOOK_UP_MS,
      );
      return rows.length === 0 ? [undefined] : rows.map(({ scope }) => ({ kind: 'queue', name: scope }));
    }
    if (kind !== 'bucketName') return [{ kind, name, ...more }];
    // Of the registry no more than the places of a name are read: a rule means all of them.
    const places = await this.db.query<{ endpoint_id: string }>(
      'SELECT endpoint_id FROM bucket WHERE name = $1',
      [name],
      LOOK_UP_MS,
    );
    return places.length === 0
      ? [undefined]
      : places.map((place) => ({ kind: 'bucket', name: `${place.endpoint_id}/${name}`, ...more }));
  }

  private async ownersOf(things: readonly Thing[]): Promise<ReadonlyMap<string, string>> {
    const rows = await this.db.query<OwnedThing & { group_id: string }>(
      `SELECT kind, name, group_id FROM access_owned
       WHERE (kind, name) IN (SELECT * FROM unnest($1::text[], $2::text[]))`,
      [things.map(({ kind }) => kind), things.map(({ name }) => name)],
      LOOK_UP_MS,
    );
    return new Map(rows.map((row) => [placeOf(row), row.group_id]));
  }

  private inTurn<T>(work: (tx: Queryable, at: number) => Promise<T>): Promise<T> {
    return this.db.transaction(async (tx) => {
      await lockAccess(tx);
      return work(tx, Math.round(this.clock.now()));
    });
  }
}

type Thing = OwnedThing & Pick<Owned, 'orNobodys'>;

const placeOf = ({ kind, name }: OwnedThing): string => `${kind}\n${name}`;

async function groupNamed(db: Queryable, id: string): Promise<void> {
  const rows = await db.query('SELECT 1 FROM access_group WHERE id = $1', [id]);
  if (rows.length === 0) throw new NotFound(`There is no group ${id}. GET /api/v1/groups lists all.`);
}
