import { createHash, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { auditActor, type Principal } from '../../access/principal.js';
import { appendAudit } from '../../audit/audit.js';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import type { Queryable } from '../../database/queryable.js';
import { AppError, Conflict } from '../../errors.js';
import { problemOf } from '../../ops/error.filter.js';
import { canonicalJson } from '../../canonical-json.js';
import { ReviewDesk } from '../review-desk.js';
import type { Review } from '../review.js';
import type { ReviewCommand } from '../rules/command.js';
import { beginBatch, keepResult, resultsOf } from '../sql/batches.js';
import type { ItemResult } from './bulk.view.js';

const DAY_MS = 86_400_000;
/** So long is a key known, and answered as the first time. */
export const KEY_DAYS = 7;

/** One request over many reviews. */
export interface BulkWish {
  /** For the audit record: `decide`, `claim`, … */
  readonly action: string;
  readonly items: readonly { readonly id: string; readonly command: ReviewCommand }[];
  /** Makes the request the same one when it is sent again. */
  readonly key: string | undefined;
  /** Facts of the request for the audit record; what else makes it another request than one of the same key. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** Belongs to each change, in its transaction. */
  readonly and?: (tx: Queryable, after: Review) => Promise<void>;
}

/**
 * Does one thing to many reviews, each by itself: in a transaction of its own, under the same rules as if it came alone.
 *
 * What came of each is kept in that transaction. A request that is sent again, because its answer was lost or the
 * service was killed in the middle, does what is left and answers the rest as before.
 */
@Injectable()
export class BulkService {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly desk: ReviewDesk,
  ) {}

  /** @returns what came of each, in the order of the wish. @throws Conflict for a key of another request. */
  async run(wish: BulkWish, principal: Principal): Promise<ItemResult[]> {
    const items = wish.items.map(({ id, command }) => ({ id: id.toLowerCase(), command }));
    const batchId = await this.begin({ ...wish, items }, principal);
    const known = await resultsOf<ItemResult>(this.db, batchId);
    for (const { id, command } of items) {
      if (!known.has(id)) await this.one(batchId, id, command, wish, principal);
    }
    const results = await resultsOf<ItemResult>(this.db, batchId);
    return items.map(({ id }) => {
      const result = results.get(id);
      if (result === undefined) throw new Error(`nothing was kept of the review ${id}`);
      return result;
    });
  }

  private async begin({ action, items, key, facts }: BulkWish, principal: Principal): Promise<string> {
    const at = Math.round(this.clock.now());
    const actor = auditActor(principal);
    const requestDigest = createHash('sha256').update(canonicalJson({ action, facts, items })).digest('hex');
    const id = randomUUID();
    const wanted = { id, actor, key: key ?? id, requestDigest, createdAt: at };
    return this.db.transaction(async (tx) => {
      const { batch, isNew } = await beginBatch(tx, wanted, at - KEY_DAYS * DAY_MS);
      if (batch.requestDigest !== requestDigest)
        throw new Conflict(
          `The idempotencyKey belongs to another request of yours, of ${new Date(batch.createdAt).toISOString()}. Choose a new one for this request.`,
          { at: new Date(batch.createdAt).toISOString() },
        );
      if (isNew) {
        const data = { action, ...facts, reviews: items.map((item) => item.id) };
        await appendAudit(tx, [
          { at, actor, action: 'review_batch.requested', subject: `review_batch:${id}`, data },
        ]);
      }
      return batch.id;
    });
  }

  private async one(
    batchId: string,
    id: string,
    command: ReviewCommand,
    { and }: BulkWish,
    principal: Principal,
  ): Promise<void> {
    try {
      const after = await this.desk.change(id, command, principal, async (tx, changed) => {
        await and?.(tx, changed);
        // The same request at the same moment was first: it made the change, and this one is not needed.
        return keepResult(tx, batchId, id, doneWith(changed));
      });
      await keepResult(this.db, batchId, id, doneWith(after));
    } catch (error) {
      // What is no refusal is a trouble of ours: the request fails, and sent again it goes on here.
      if (!(error instanceof AppError) || error.retryable || error.status >= 500) throw error;
      await keepResult(this.db, batchId, id, refusedWith(id, error));
    }
  }
}

const doneWith = ({ id, state, version }: Review): ItemResult => ({
  id,
  result: 'done',
  state,
  version,
  problem: null,
});

const refusedWith = (id: string, error: AppError): ItemResult => ({
  id,
  result: error instanceof Conflict ? 'conflict' : 'refused',
  state: null,
  version: null,
  problem: { ...problemOf(error) },
});
