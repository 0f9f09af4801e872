import { Inject, Injectable } from '@nestjs/common';
import { noteFindingsRead } from '../../../../access/findings-read.js';
import { Clock } from '../../../../clock.js';
import { CONFIG, publicUrl, type Config } from '../../../../config.js';
import { Database } from '../../../../database/database.js';
import { Forbidden } from '../../../../errors.js';
import { mayDecideIn, People, type Roster } from '../../../people.js';
import type { Review } from '../../../review.js';
import { ReviewsService } from '../../../reviews.service.js';
import type { Reviewer } from '../../../rules/review.js';

/** What somebody who acts in Slack may see of reviews: all, or where their grants are those of their queues. */
@Injectable()
export class ReviewSight {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly people: People,
    private readonly reviews: ReviewsService,
  ) {}

  /** @throws NotFound; Forbidden for a review of a queue that is none of theirs. */
  async seen(reviewId: string, who: Reviewer): Promise<Review> {
    const review = await this.reviews.get(reviewId);
    const { queue } = review.policy;
    if (!mayDecideIn(queue, { queues: (await this.roster()).acting(who).queues }))
      throw new Forbidden(`This review is in the queue ${queue}, which you have no grant for.`);
    return review;
  }

  /** They are about to be shown what was found: the audit has it, as of whoever reads it on the web. */
  async reads({ id }: Pick<Review, 'id'>, who: Reviewer): Promise<void> {
    const now = Math.round(this.clock.now());
    await noteFindingsRead(this.db, { actor: `user:${who.id}`, subject: `review:${id}`, now });
  }

  roster(): Promise<Roster> {
    return this.people.at(Math.round(this.clock.now()));
  }

  /** The review's own page. */
  pageOf(review: Pick<Review, 'id'>): string {
    return `${publicUrl(this.config)}/reviews/${review.id}`;
  }

  get inboxUrl(): string {
    return `${publicUrl(this.config)}/reviews`;
  }

  get dryRun(): boolean {
    return this.config.DRY_RUN;
  }
}
