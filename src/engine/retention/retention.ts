import { appendAudit } from '../../audit/audit.js';
import type { Clock } from '../../clock.js';
import type { Database } from '../../database/database.js';
import type { Queryable } from '../../database/queryable.js';
import type { RuntimeLog } from '../runtime/runtime-log.js';
import { keepOthersWaiting, type RetentionHold } from './retention-hold.js';
import { cutOff, removable, type Family } from './retention-rules.js';
import { childrenOf, endedBefore, LOCK_ENDED, nextOfName, REMOVALS, workflowNames } from './sql.js';

interface Parts {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: RuntimeLog;
  readonly defaultDays: number;
  readonly holds: () => readonly RetentionHold[];
  /** Commits wait: leave the database to them. */
  readonly isBusy: () => boolean;
}

// 100 workflows of ten tasks are a thousand rows: tens of milliseconds, between two of which others get their turn.
const ROOTS_PER_BATCH = 100;
// So many workflows go in one transaction, but for a single one with more inside it, which goes as a whole.
const MEMBERS_PER_DELETE = 500;
const MAX_MEMBERS = 20_000;
// A pause as long as the batch before it: the database has as much time for others, however slow it is, and what
// thousands of workflows a second leave behind is removed as fast (a fixed pause of 200 ms allowed 400 a second).
const MIN_PAUSE_MS = 10;
const MAX_PAUSE_MS = 1_000;
const BUSY_PAUSE_MS = 5_000;
const MAX_BUSY_PAUSES = 60;
// Any constant works as long as every process uses the same one.
const RETENTION_LOCK = 7_205_759_404;

/**
 * Removes ended workflows that are older than their name's policy allows, with everything that belongs to them, in small
 * batches. Any node may do it, one at a time; nobody else waits for it.
 */
export class Retention {
  private isStopped = false;

  constructor(private readonly parts: Parts) {}

  stop(): void {
    this.isStopped = true;
  }

  /** One walk over all that is old enough. @returns how many workflows were removed. */
  async round(): Promise<number> {
    const { db } = this.parts;
    let removed = 0;
    for (const name of await workflowNames(db)) {
      const before = await this.cutOff(db, name);
      if (before !== undefined) removed += await this.walk(name, before);
      if (this.isStopped) break;
    }
    return removed;
  }

  /** As the policies are now. */
  private async cutOff(db: Queryable, name: string): Promise<number | undefined> {
    const { clock, defaultDays } = this.parts;
    const [policy] = await db.query<{ days: number }>(
      'SELECT days FROM retention_policy WHERE workflow_name = $1',
      [name],
    );
    return cutOff(policy?.days ?? defaultDays, Math.round(clock.now()));
  }

  private async walk(name: string, before: number): Promise<number> {
    const { db, clock } = this.parts;
    let removed = 0;
    let after = { createdAt: -1, id: '' };
    while (!this.isStopped && (await this.leaveRoom())) {
      const began = clock.now();
      const rows = await nextOfName(db, name, before, after, ROOTS_PER_BATCH);
      const last = rows.at(-1);
      if (last === undefined) break;
      after = { createdAt: last.createdAt, id: last.id };
      const roots = rows.filter(({ isExpired }) => isExpired).map(({ id }) => id);
      const done = roots.length === 0 ? 0 : await this.remove(roots, name);
      if (done === undefined) break;
      removed += done;
      if (rows.length < ROOTS_PER_BATCH) break;
      const now = clock.now();
      await clock.sleepUntil(now + Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, now - began)));
    }
    return removed;
  }

  /** Waits while commits are behind; gives this round up when they stay so. */
  private async leaveRoom(): Promise<boolean> {
    const { clock, isBusy } = this.parts;
    for (let pauses = 0; isBusy(); pauses++) {
      if (pauses >= MAX_BUSY_PAUSES || this.isStopped) return false;
      await clock.sleepUntil(clock.now() + BUSY_PAUSE_MS);
    }
    return true;
  }

  /** @returns `undefined` when another node is at it. */
  private async remove(roots: readonly string[], name: string): Promise<number | undefined> {
    const known = await this.familiesOf(roots);
    if (known === undefined) return await this.removeApart(roots, name);
    const { families, open } = known;
    const held = await this.heldOf(families.flatMap(({ members }) => members));
    let removed = 0;
    for (const group of grouped(removable(families, open, held), MEMBERS_PER_DELETE)) {
      const count = await this.removeNow(group, name);
      if (count === undefined) return removed === 0 ? undefined : removed;
      removed += count;
    }
    return removed;
  }

  /** Together there are too many inside them to be known at once. */
  private async removeApart(roots: readonly string[], name: string): Promise<number | undefined> {
    const [first, ...others] = roots;
    if (first === undefined) return 0;
    if (others.length === 0) {
      this.parts.log.warn(
        { workflowId: first, most: MAX_MEMBERS },
        'an ended workflow has too many others inside it to be removed; it stays',
      );
      return 0;
    }
    const middle = roots.length >> 1;
    let removed = 0;
    for (const part of [roots.slice(0, middle), roots.slice(middle)]) {
      const count = await this.remove(part, name);
      if (count === undefined) return removed === 0 ? undefined : removed;
      removed += count;
    }
    return removed;
  }

  /** @returns `undefined` when more are inside them than can be known at once. */
  private async familiesOf(
    roots: readonly string[],
  ): Promise<{ families: readonly Family[]; open: ReadonlySet<string> } | undefined> {
    const rootOf = new Map(roots.map((id) => [id, id]));
    const members = new Map(roots.map((id) => [id, [id]]));
    const open = new Set<string>();
    let level = roots;
    while (level.length > 0) {
      if (rootOf.size > MAX_MEMBERS) return undefined;
      const next: string[] = [];
      for (const { id, parent, hasEnded } of await childrenOf(this.parts.db, level)) {
        const root = rootOf.get(parent);
        if (root === undefined || rootOf.has(id)) continue;
        rootOf.set(id, root);
        members.get(root)?.push(id);
        if (!hasEnded) open.add(id);
        next.push(id);
      }
      level = next;
    }
    return { families: [...members].map(([root, ids]) => ({ root, members: ids })), open };
  }

  private async heldOf(ids: readonly string[], db: Queryable = this.parts.db): Promise<ReadonlySet<string>> {
    const rows = await db.query<{ id: string }>(
      'SELECT workflow_id AS id FROM workflow_hold WHERE workflow_id = ANY ($1)',
      [ids],
    );
    const held = new Set(rows.map(({ id }) => id));
    for (const holder of this.parts.holds()) for (const id of await holder.held(ids, db)) held.add(id);
    return held;
  }

  /**
   * A family of which somebody works on a member at this moment, has resumed one meanwhile or laid a hold on one stays as
   * a whole for the next round; and so does one that is kept longer since its name's policy was changed.
   */
  private removeNow(families: readonly Family[], name: string): Promise<number | undefined> {
    const ids = families.flatMap(({ members }) => members);
    const { db, clock } = this.parts;
    return db.transaction(async (tx) => {
      const [lock] = await tx.query<{ mine: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS mine', [
        RETENTION_LOCK,
      ]);
      if (lock?.mine !== true) return undefined;
      await keepOthersWaiting(tx);
      const before = await this.cutOff(tx, name);
      if (before === undefined) return 0;
      const locked = new Set((await tx.query<{ id: string }>(LOCK_ENDED, [ids])).map(({ id }) => id));
      const old = await endedBefore(
        tx,
        families.map(({ root }) => root),
        before,
      );
      const kept = new Set<string>();
      for (const { id, parent } of await childrenOf(tx, ids)) if (!locked.has(id)) kept.add(parent);
      // What was laid or opened since the question was asked first.
      for (const id of await this.heldOf(ids, tx)) kept.add(id);
      const going = families
        .filter(
          ({ root, members }) => old.has(root) && members.every((id) => locked.has(id) && !kept.has(id)),
        )
        .flatMap(({ members }) => members);
      if (going.length === 0) return 0;
      for (const [, statement] of REMOVALS) await tx.query(statement, [going]);
      await appendAudit(tx, [
        {
          at: Math.round(clock.now()),
          actor: 'system:retention',
          action: 'workflow.removed',
          subject: `workflow-name:${name}`,
          data: { count: going.length, first: going[0], last: going.at(-1) },
        },
      ]);
      return going.length;
    });
  }
}

/** As many families together as have so many members, and none of them in two. */
function grouped(families: readonly Family[], most: number): readonly (readonly Family[])[] {
  const groups: Family[][] = [];
  let size = Infinity;
  for (const family of families) {
    if (size + family.members.length > most) {
      groups.push([]);
      size = 0;
    }
    groups.at(-1)?.push(family);
    size += family.members.length;
  }
  return groups;
}
