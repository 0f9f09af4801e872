import { Inject, Injectable } from '@nestjs/common';
import { grantedQueues, mayApprove } from '../access/may-approve.js';
import { DECIDERS, hasRole, READERS, type Principal } from '../access/principal.js';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import type { Queryable } from '../database/queryable.js';
import { Forbidden, InvalidInput, NotFound } from '../errors.js';
import { AskUploader } from './ask-uploader/ask-uploader.service.js';
import { ReviewComments } from './comments/comments.service.js';
import { keptFrom } from './kept-from.js';
import { People } from './people.js';
import type { Review } from './review.js';
import { detailOf, type ReviewDetail } from './review.view.js';
import { Reviewers } from './reviewers.js';
import { ReviewsService } from './reviews.service.js';
import type { ReviewCommand } from './rules/command.js';
import { isEnded, type Person, type Reviewer } from './rules/review.js';
import { findReview } from './sql/find-review.js';
import { reviewTimeline } from './sql/review-events.js';
import { watchersOf } from './sql/watchers.js';

/** What somebody who is logged in may see of reviews, and does with them. */
@Injectable()
export class ReviewDesk {
  constructor(
    private readonly reviews: ReviewsService,
    private readonly reviewers: Reviewers,
    private readonly people: People,
    private readonly clock: Clock,
    private readonly comments: ReviewComments,
    private readonly questions: AskUploader,
    private readonly db: Database,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws NotFound; Forbidden for a review of a queue that is none of theirs. */
  async shown(id: string, principal: Principal): Promise<ReviewDetail> {
    const review = await this.seen(id, principal);
    const timeline = await reviewTimeline(this.db, id);
    const who = await this.people.acting(speaker(principal), Math.round(this.clock.now()));
    return {
      ...detailOf(review, timeline, this.config.DRY_RUN),
      watchers: await watchersOf(this.db, id),
      keptFrom: keptFrom(review, principal, who),
      uploaderNotAsked: await this.uploaderNotAsked(review),
    };
  }

  private async uploaderNotAsked(review: Review): Promise<string | null> {
    if (isEnded(review.state) || review.subject.object === undefined) return null;
    return (await this.questions.whyNot(review)) ?? null;
  }

  /** @throws what {@link ReviewsService.act} does, and what `shown` does. */
  async act(id: string, command: ReviewCommand, principal: Principal): Promise<ReviewDetail> {
    await this.seen(id, principal);
    await this.reviews.act(id, command, speaker(principal));
    return this.shown(id, principal);
  }

  /** The same, only together with something else: see {@link ReviewsService.change}. @returns the review as it is then. */
  async change(
    id: string,
    command: ReviewCommand,
    principal: Principal,
    and: (tx: Queryable, after: Review) => Promise<boolean>,
  ): Promise<Review> {
    await this.seen(id, principal);
    return (await this.reviews.change(id, command, speaker(principal), and)) ?? (await this.reviews.get(id));
  }

  async comment(id: string, text: string, principal: Principal): Promise<ReviewDetail> {
    await this.comments.add(await this.seen(id, principal), text, speaker(principal));
    return this.shown(id, principal);
  }

  /** Changes one's own comment. @throws what {@link ReviewComments.edit} does. */
  async editComment(
    id: string,
    change: { readonly id: string; readonly text: string; readonly version: number },
    principal: Principal,
  ): Promise<ReviewDetail> {
    await this.comments.edit(await this.seen(id, principal), change, speaker(principal));
    return this.shown(id, principal);
  }

  /** Hears of every change from now on, by mail. */
  async watch(id: string, principal: Principal): Promise<ReviewDetail> {
    await this.comments.watch(await this.seen(id, principal), speaker(principal));
    return this.shown(id, principal);
  }

  async unwatch(id: string, principal: Principal): Promise<ReviewDetail> {
    await this.comments.unwatch(await this.seen(id, principal), speaker(principal));
    return this.shown(id, principal);
  }

  /** Somebody who may decide, by their id. @throws InvalidInput naming the field. */
  async reviewer(field: string, personId: string): Promise<Person> {
    const found = (await this.reviewers.list()).find((person) => person.personId === personId);
    if (found === undefined)
      throw InvalidInput.field(
        field,
        'is not the id of somebody who may decide (an analyst, approver or admin)',
      );
    return { id: found.personId, name: found.name };
  }

  /** The review of a HUMAN task. @throws as `shown` does. */
  async ofTask(taskId: string, principal: Principal): Promise<Review> {
    const review = await findReview(this.db, { taskId });
    if (review === undefined) throw new NotFound(`No human task ${taskId}. Check the id.`);
    return visibleTo(principal, review);
  }

  /** @throws NotFound; Forbidden for a review of a queue that is none of theirs. */
  async seen(id: string, principal: Principal): Promise<Review> {
    return visibleTo(principal, await this.reviews.get(id));
  }
}

function visibleTo(principal: Principal, review: Review): Review {
  const { queue } = review.policy;
  if (!hasRole(principal, READERS) && !mayApprove(principal, queue))
    throw new Forbidden(`This review is in the queue ${queue}, which you have no grant for.`);
  return review;
}

/** The only queues whose reviews somebody sees; all of them when undefined. */
export const seenQueues = (principal: Principal): readonly string[] | undefined =>
  hasRole(principal, [...READERS, 'approver']) ? undefined : grantedQueues(principal);

/** Somebody who is logged in, as reviews know who acts. */
export const speaker = (principal: Principal): Reviewer => ({
  id: principal.id,
  name: principal.name,
  isAdmin: principal.roles.includes('admin'),
  queues: hasRole(principal, DECIDERS) ? undefined : grantedQueues(principal),
  via: principal.kind === 'apikey' ? 'api' : 'web',
  method: principal.method,
});
