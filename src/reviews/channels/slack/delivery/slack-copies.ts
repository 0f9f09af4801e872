import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../../../clock.js';
import { CONFIG, publicUrl, type Config } from '../../../../config.js';
import { Database } from '../../../../database/database.js';
import { Outbox } from '../../../../outbound/outbox.js';
import { mayDecideIn, People } from '../../../people.js';
import type { Review } from '../../../review.js';
import { findReview } from '../../../sql/find-review.js';
import { insertSlackCopy, staleCopies } from '../sql/copies.js';
import { findCourse } from '../sql/courses.js';
import { isBound } from '../sql/identities-of.js';
import { barredContent, copyContent, leastContent } from './copy-content.js';
import type { Posted, SlackContent } from './slack-sender.js';
import { copyMessage } from './slack-kinds.js';

/** The messages in Slack that show a review. */
@Injectable()
export class SlackCopies {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly outbox: Outbox,
    private readonly people: People,
  ) {}

  /** What a copy shows now; @param personId whose direct message it is. */
  async content(
    review: Review,
    personId?: string,
  ): Promise<SlackContent & { readonly shows: { readonly version: number; readonly steps: number } }> {
    const { course, revision } = await findCourse(this.db, review.id);
    const shows = { version: review.version, steps: revision };
    if (personId !== undefined && !(await this.mayBeTold(review, personId)))
      return { ...barredContent(), shows };
    return {
      ...copyContent({
        review,
        inboxUrl: this.inboxUrl(review.id),
        dryRun: this.config.DRY_RUN,
        personId,
        course,
      }),
      shows,
    };
  }

  /** Whether somebody is bound and may still decide in the review's queue; whoever left is told nothing more of it. */
  async mayBeTold({ policy }: Review, personId: string): Promise<boolean> {
    const person = (await this.people.at(Math.round(this.clock.now()))).person(personId);
    if (person === undefined || !mayDecideIn(policy.queue, person)) return false;
    return isBound(this.db, personId);
  }

  /** The least of it, where Slack does not take the whole. */
  least(review: Review): SlackContent {
    return leastContent(review, this.inboxUrl(review.id));
  }

  /**
   * Remembers a message, and brings it up to date if the review went on while it was under way.
   *
   * @param shown the version that it shows; 0 of one that was found: it is from before, whatever it shows.
   */
  async posted(
    review: Pick<Review, 'id'>,
    { channel, ts }: Posted,
    shown: number,
    personId?: string,
  ): Promise<void> {
    await insertSlackCopy(this.db, review.id, { channel, ts, personId, shown }, Math.round(this.clock.now()));
    // After the copy is there for everybody: a change that was told before did not find it.
    await this.catchUp(review.id);
  }

  /** Has every copy brought up to date that shows less than there is. */
  async catchUp(reviewId: string): Promise<void> {
    const review = await findReview(this.db, { id: reviewId });
    if (review === undefined) return;
    const { revision } = await findCourse(this.db, reviewId);
    const now = { version: review.version, steps: revision };
    const stale = await staleCopies(this.db, reviewId, now);
    await this.outbox.enqueue(
      this.db,
      stale.map((copy) => copyMessage(reviewId, copy, `${now.version}.${now.steps}`)),
    );
  }

  inboxUrl(reviewId: string): string {
    return `${publicUrl(this.config)}/reviews/${reviewId}`;
  }
}
