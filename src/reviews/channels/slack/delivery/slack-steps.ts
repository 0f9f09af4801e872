import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Clock } from '../../../../clock.js';
import { Database } from '../../../../database/database.js';
import { Engine } from '../../../../engine/ports.js';
import { NotFound } from '../../../../errors.js';
import {
  Outbox,
  OutboxHandler,
  type Delivery,
  type OutboxDelivery,
  type OutboxMessage,
  skipped,
} from '../../../../outbound/outbox.js';
import type { Review } from '../../../review.js';
import { findReview } from '../../../sql/find-review.js';
import { slackCopies } from '../sql/copies.js';
import { findCourse, keepCourse } from '../sql/courses.js';
import { courseAfter, type Course } from './next-steps.js';
import { SlackCopies } from './slack-copies.js';
import { SLACK_STEPS } from './slack-kinds.js';

// Seconds from one look to the next: close behind the click, where people still watch; then for a day.
const SOON: readonly number[] = [1, 2, 2, 3, 5, 8, 15, 30, 60, 120, 300, 600, 900, 1800];
const LOOK_AFTER_SECONDS = SOON.concat(Array.from({ length: 23 }, () => 3600));
const MOST_UPDATES = 30;

/** Follows the workflows of decided reviews that Slack shows. */
@Injectable()
export class SlackSteps {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly outbox: Outbox,
  ) {}

  /** Begins once, if the review is decided. */
  async follow(reviewId: string): Promise<void> {
    const review = await findReview(this.db, { id: reviewId });
    if (review?.decision === undefined) return;
    if ((await slackCopies(this.db, reviewId)).length === 0) return;
    await this.outbox.enqueue(this.db, this.nextLook(review, 1));
  }

  /** @returns nothing once it was looked often enough. */
  nextLook({ id }: Pick<Review, 'id'>, look: number): readonly OutboxMessage[] {
    const seconds = LOOK_AFTER_SECONDS[look - 1];
    if (seconds === undefined) return [];
    const notBefore = Math.round(this.clock.now()) + seconds * 1000;
    return [{ kind: SLACK_STEPS, key: `${id}:${look}`, payload: { reviewId: id, look }, notBefore }];
  }
}

const Payload = z.object({ reviewId: z.uuid(), look: z.number().int().min(1) });

/** Looks how the workflow of a decided review goes on; the next look is recorded with this one. */
@Injectable()
export class SlackStepsHandler extends OutboxHandler {
  readonly kind = SLACK_STEPS;
  override readonly concurrency = 2;

  constructor(
    private readonly db: Database,
    private readonly outbox: Outbox,
    private readonly engine: Engine,
    private readonly copies: SlackCopies,
    private readonly steps: SlackSteps,
  ) {
    super();
  }

  async deliver(message: OutboxDelivery): Promise<Delivery> {
    const payload = Payload.safeParse(message.payload);
    if (!payload.success) return { kind: 'giveUp', reason: `not a look: ${payload.error.message}` };
    const { reviewId, look } = payload.data;
    const review = await findReview(this.db, { id: reviewId });
    if (review === undefined) return { kind: 'giveUp', reason: 'the review is gone' };
    const course = await this.courseOf(review);
    if (course === undefined) return skipped('its workflow is kept no more');
    const stored = await findCourse(this.db, reviewId);
    const isNews = !isDeepStrictEqual(stored.course, course);
    // How it ended is always told.
    if (isNews && (stored.revision < MOST_UPDATES || course.end !== undefined))
      await keepCourse(this.db, reviewId, course, stored.revision);
    // Also where an earlier attempt ended right after it had kept it.
    await this.copies.catchUp(reviewId);
    if (course.end === undefined) await this.outbox.enqueue(this.db, this.steps.nextLook(review, look + 1));
    return { kind: 'sent' };
  }

  private async courseOf(review: Review): Promise<Course | undefined> {
    try {
      return courseAfter(await this.engine.get(review.workflowId), review.taskId);
    } catch (error) {
      if (error instanceof NotFound) return undefined;
      throw error;
    }
  }
}
