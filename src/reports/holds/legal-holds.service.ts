import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { auditActor, type Principal } from '../../access/principal.js';
import { appendAudit } from '../../audit/audit.js';
import { Clock } from '../../clock.js';
import type { Place } from '../../cursor.js';
import { Database } from '../../database/database.js';
import type { Queryable } from '../../database/queryable.js';
import { waitForRemovals } from '../../engine/retention/retention-hold.js';
import { Conflict, NotFound } from '../../errors.js';
import { findHold, insertHold, liftHold, listHolds, type HoldScope, type LegalHold } from './legal-hold.js';

/** Places legal holds and lifts them. */
@Injectable()
export class LegalHolds {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
  ) {}

  /** Once this returns nothing of it is removed any more. @throws NotFound for a review or execution that is not there. */
  async place(scope: HoldScope, reason: string, principal: Principal): Promise<LegalHold> {
    const hold: LegalHold = {
      id: randomUUID(),
      reason,
      ...scope,
      placedBy: auditActor(principal),
      placedByName: principal.name,
      placedAt: Math.round(this.clock.now()),
    };
    await this.db.transaction(async (tx) => {
      await waitForRemovals(tx);
      await refuseMissing(tx, scope);
      await insertHold(tx, hold);
      await appendAudit(tx, [
        {
          at: hold.placedAt,
          actor: hold.placedBy,
          action: 'legal_hold.placed',
          subject: `legal_hold:${hold.id}`,
          data: { reason, ...scope },
        },
      ]);
    });
    return hold;
  }

  list(all: boolean, limit: number, after: Place | undefined): Promise<LegalHold[]> {
    return listHolds(this.db, { all, limit, after });
  }

  /** @throws NotFound, or Conflict for one that was lifted. */
  async lift(id: string, reason: string, principal: Principal): Promise<LegalHold> {
    const at = Math.round(this.clock.now());
    const by = auditActor(principal);
    return this.db.transaction(async (tx) => {
      const isLifted = await liftHold(tx, id, { by, byName: principal.name, at, reason });
      const hold = await findHold(tx, id);
      if (hold === undefined) throw new NotFound(`No legal hold ${id}. List them to find it.`);
      if (!isLifted)
        throw new Conflict(`The hold ${id} was lifted already, by ${hold.lifted?.byName ?? 'somebody'}.`, {
          lifted: hold.lifted,
        });
      await appendAudit(tx, [
        { at, actor: by, action: 'legal_hold.lifted', subject: `legal_hold:${id}`, data: { reason } },
      ]);
      return hold;
    });
  }
}

async function refuseMissing(tx: Queryable, { reviewId, workflowId }: HoldScope): Promise<void> {
  if (reviewId !== undefined) {
    const found = await tx.query('SELECT 1 FROM review WHERE id = $1', [reviewId]);
    if (found.length === 0) throw new NotFound(`No review ${reviewId}. Check the id.`);
  }
  if (workflowId !== undefined) {
    const found = await tx.query('SELECT 1 FROM workflow WHERE id = $1', [workflowId]);
    if (found.length === 0)
      throw new NotFound(`No execution ${workflowId}. Check the id, or whether it was removed already.`);
  }
}
