import { Inject, Injectable } from '@nestjs/common';
import { hasRole, READERS, type Principal } from '../../access/principal.js';
import { mayApprove } from '../../access/may-approve.js';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { Database } from '../../database/database.js';
import type { Queryable } from '../../database/queryable.js';
import { Conflict, Forbidden, NotFound } from '../../errors.js';
import { BulkService } from '../bulk/bulk.service.js';
import { answerOf, type ItemResult } from '../bulk/bulk.view.js';
import { keptFrom } from '../kept-from.js';
import { People } from '../people.js';
import { speaker } from '../review-desk.js';
import { ReviewWriter } from '../review-writer.js';
import type { Review } from '../review.js';
import { summaryOf } from '../review.view.js';
import { isEnded } from '../rules/review.js';
import {
  decideCase,
  detachKin,
  findCase,
  isMember,
  membersOf,
  type CaseMember,
  type ReviewCase,
} from '../sql/cases.js';
import { findReviews } from '../sql/find-review.js';
import {
  caseSummary,
  type CaseAnswer,
  type CaseDecide,
  type CaseDetach,
  type CaseDetail,
} from './case.view.js';

/** What somebody who is logged in sees of a case, and does with it. */
@Injectable()
export class CaseDesk {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly people: People,
    private readonly bulk: BulkService,
    private readonly writer: ReviewWriter,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws NotFound; Forbidden for a case of a queue that is none of theirs. */
  async shown(id: string, principal: Principal): Promise<CaseDetail> {
    const found = await this.seen(id, principal);
    const { members, reviews } = await this.members(id);
    const who = await this.people.acting(speaker(principal), Math.round(this.clock.now()));
    const rows = members.flatMap((member) => {
      const review = reviews.get(member.reviewId);
      return review === undefined ? [] : [{ member, review }];
    });
    return {
      ...caseSummary(found),
      reviews: rows
        .filter(({ member }) => member.detached === undefined)
        .map(({ member, review }) => ({
          review: summaryOf(review, this.config.DRY_RUN),
          joinedAt: isoOf(member.joinedAt),
          keptFrom: keptFrom(review, principal, who),
        })),
      detached: rows.flatMap(({ member: { detached }, review }) =>
        detached === undefined
          ? []
          : [{ id: review.id, title: review.title, by: detached.by, at: isoOf(detached.at) }],
      ),
    };
  }

  /**
   * Votes on each review that was shown, under its own rules; what joined since, and what four eyes keep from whoever
   * asks, stays open and is named.
   */
  async decide(id: string, given: CaseDecide, principal: Principal): Promise<CaseAnswer> {
    await this.seen(id, principal);
    const { outcome, reason, form, idempotencyKey: key } = given;
    const items = given.items.map(({ id: reviewId, digest }) => ({
      id: reviewId,
      command: { kind: 'decide' as const, outcome, reason, digest, form },
    }));
    const facts = { case: id, outcome, reason };
    const and = (tx: Queryable, after: Review) => decideMember(tx, id, after);
    const results = await this.bulk.run({ action: 'decide', key, facts, items, and }, principal);
    return { ...answerOf(results), left: await this.left(id, results) };
  }

  /** Takes one review out of the case: it goes on by itself. @throws Conflict when it is not in it, or over. */
  async detach(id: string, { reviewId, reason }: CaseDetach, principal: Principal): Promise<CaseDetail> {
    await this.seen(id, principal);
    const at = Math.round(this.clock.now());
    const who = speaker(principal);
    await this.db.transaction(async (tx) => {
      if (!(await detachKin(tx, id, reviewId, who, at))) throw await this.notDetached(id, reviewId);
      await this.writer.note(tx, reviewId, 'case_left', who, at, {
        case: id,
        ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
      });
    });
    return this.shown(id, principal);
  }

  private async notDetached(id: string, reviewId: string): Promise<Conflict> {
    const { members, reviews } = await this.members(id);
    const member = members.find((one) => one.reviewId === reviewId.toLowerCase());
    if (member === undefined) return new Conflict('This review is not in the case.');
    if (member.detached !== undefined) return detachedError(member.detached);
    const over = reviews.get(member.reviewId);
    const at = isoOf(over?.decision?.at ?? over?.cancelled?.at ?? over?.updatedAt ?? 0);
    return new Conflict(`This review is over since ${at}. Nothing is left to decide.`, {
      state: over?.state,
      ...(over?.decision === undefined ? {} : { winner: over.decision.by }),
      at,
    });
  }

  private async left(id: string, results: readonly ItemResult[]): Promise<CaseAnswer['left']> {
    const { members, reviews } = await this.members(id);
    return members.flatMap(({ reviewId, detached }) => {
      const review = reviews.get(reviewId);
      if (review === undefined || detached !== undefined || isEnded(review.state)) return [];
      return [
        { id: reviewId, title: review.title, why: whyLeft(results.find((one) => one.id === reviewId)) },
      ];
    });
  }

  private async members(
    id: string,
  ): Promise<{ members: readonly CaseMember[]; reviews: ReadonlyMap<string, Review> }> {
    const members = await membersOf(this.db, id);
    const reviews = await findReviews(
      this.db,
      members.map(({ reviewId }) => reviewId),
    );
    return { members, reviews: new Map(reviews.map((review) => [review.id, review])) };
  }

  private async seen(id: string, principal: Principal): Promise<ReviewCase> {
    const found = await findCase(this.db, id);
    if (found === undefined)
      throw new NotFound(`No case ${id}. GET /api/v1/review-cases lists those there are.`);
    if (!hasRole(principal, READERS) && !mayApprove(principal, found.queue))
      throw new Forbidden(`This case is in the queue ${found.queue}, which you have no grant for.`);
    return found;
  }
}

/** Part of a vote on the case: the review must still belong to it, and the first decision closes it to newcomers. */
async function decideMember(tx: Queryable, caseId: string, after: Review): Promise<void> {
  if (!(await isMember(tx, caseId, after.id))) {
    const member = (await membersOf(tx, caseId)).find(({ reviewId }) => reviewId === after.id);
    throw member?.detached === undefined
      ? new Conflict('This review is not in the case. Decide it by itself.')
      : detachedError(member.detached);
  }
  if (after.decision !== undefined) await decideCase(tx, caseId, after.decision);
}

const detachedError = ({ by, at }: NonNullable<CaseMember['detached']>): Conflict =>
  new Conflict(`${by.name} took this review out of the case at ${isoOf(at)}. Decide it by itself.`, {
    winner: by,
    at: isoOf(at),
  });

function whyLeft(result: ItemResult | undefined): string {
  if (result === undefined) return 'It was not among those that you were shown.';
  const said = result.problem?.['detail'];
  return typeof said === 'string' ? said : 'It needs more votes.';
}

const isoOf = (at: number): string => new Date(at).toISOString();
