import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { auditActor, type Principal } from '../../access/principal.js';
import { appendAudit } from '../../audit/audit.js';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import type { Queryable } from '../../database/queryable.js';
import { Conflict, Forbidden, InvalidInput, NotFound } from '../../errors.js';
import { Readers } from '../readers.js';
import {
  countViews,
  deleteView,
  findView,
  insertView,
  lockViews,
  updateView,
  viewsFor,
  type StoredView,
} from '../sql/views.js';
import { groupShare, sharedText, type ViewChange, type ViewRequest, type ViewSpec } from './view.view.js';

/** Of one person. */
export const MAX_VIEWS = 100;
const MOST_LISTED = 500;

type View = StoredView<ViewSpec>;

/** Lists of reviews under a name: one's own, and those that others share. */
@Injectable()
export class ReviewViews {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly readers: Readers,
  ) {}

  /** One's own first; those of a group as long as one is in it. */
  async list(principal: Principal): Promise<View[]> {
    const shares = ['everybody', ...(await this.groups(principal)).map(groupShare)];
    return viewsFor<ViewSpec>(this.db, principal.id, shares, MOST_LISTED);
  }

  /** @throws InvalidInput for a group that is none of theirs; Conflict for a name that they have, or too many. */
  async make(given: ViewRequest, principal: Principal): Promise<View> {
    await this.refuseShare(given, principal);
    const at = this.now();
    const view: View = {
      id: randomUUID(),
      owner: { id: principal.id, name: principal.name },
      name: given.name,
      sharedWith: sharedText(given.shared),
      spec: given.spec,
      version: 1,
      createdAt: at,
      updatedAt: at,
    };
    return this.db.transaction(async (tx) => {
      await lockViews(tx, principal.id);
      if ((await countViews(tx, principal.id)) >= MAX_VIEWS)
        throw new Conflict(`You have ${MAX_VIEWS} views, and no room for more. Delete one first.`);
      const made = await insertView(tx, view);
      if (made === undefined) throw taken(given.name);
      await this.note(tx, 'made', made, principal);
      return made;
    });
  }

  /** @throws NotFound; Forbidden for somebody else's; Conflict when it was changed meanwhile. */
  async change(id: string, given: ViewChange, principal: Principal): Promise<View> {
    const view = await this.own(id, principal);
    const sharedWith = sharedText(given.shared);
    if (sharedWith !== view.sharedWith) await this.refuseShare(given, principal);
    return this.db.transaction(async (tx) => {
      await lockViews(tx, view.owner.id);
      const { name, spec, version } = given;
      const changed = await updateView<ViewSpec>(
        tx,
        { ...view, name, spec, sharedWith, version },
        this.now(),
      );
      if (changed === undefined) {
        const now = await findView<ViewSpec>(tx, id);
        if (now?.version === given.version) throw taken(given.name);
        throw new Conflict(
          `${now?.owner.name ?? 'Somebody'} changed or deleted this view meanwhile. Load it again.`,
          now === undefined ? {} : { at: new Date(now.updatedAt).toISOString(), version: now.version },
        );
      }
      await this.note(tx, 'changed', changed, principal);
      return changed;
    });
  }

  /** @throws NotFound; Forbidden for somebody else's. */
  async remove(id: string, principal: Principal): Promise<void> {
    const view = await this.own(id, principal);
    await this.db.transaction(async (tx) => {
      if (await deleteView(tx, id)) await this.note(tx, 'deleted', view, principal);
    });
  }

  /** One that this person may change: their own, and for an admin a shared one too. */
  private async own(id: string, principal: Principal): Promise<View> {
    const view = await findView<ViewSpec>(this.db, id);
    const isShared = view?.sharedWith !== undefined;
    // Whether somebody has a view of their own is nobody else's business.
    if (view === undefined || (view.owner.id !== principal.id && !isShared))
      throw new NotFound(`No view ${id}. GET /api/v1/review-views lists yours.`);
    if (view.owner.id !== principal.id && !principal.roles.includes('admin'))
      throw new Forbidden(`This view is ${view.owner.name}'s. Save it under another name to change it.`);
    return view;
  }

  private async refuseShare({ shared }: Pick<ViewRequest, 'shared'>, principal: Principal): Promise<void> {
    if (shared?.with !== 'group') return;
    if (!(await this.groups(principal)).includes(shared.group))
      throw InvalidInput.field('shared.group', 'must be a group that you are in');
  }

  private async groups({ id }: Principal): Promise<readonly string[]> {
    return (await this.readers.list()).find((reader) => reader.id === id)?.groups ?? [];
  }

  private note(tx: Queryable, verb: string, view: View, principal: Principal): Promise<void> {
    const { name, sharedWith = null, spec } = view;
    return appendAudit(tx, [
      {
        at: this.now(),
        actor: auditActor(principal),
        action: `review_view.${verb}`,
        subject: `review_view:${view.id}`,
        data: { name, sharedWith, spec },
      },
    ]);
  }

  private now(): number {
    return Math.round(this.clock.now());
  }
}

const taken = (name: string): Conflict =>
  new Conflict(`You have a view named “${name}”. Choose another name, or change that one.`);
