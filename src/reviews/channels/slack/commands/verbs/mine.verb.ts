import { Injectable } from '@nestjs/common';
import { ReviewsService } from '../../../../reviews.service.js';
import type { Reviewer } from '../../../../rules/review.js';
import { ReviewSight } from '../../answers/review-sight.js';
import { MOST_LISTED, reviewList } from '../review-list.js';
import { SlackVerb, type Told, type Typed } from '../verb.js';

/** What somebody claimed or was given. */
@Injectable()
export class MineVerb extends SlackVerb {
  readonly name = 'mine';
  readonly usage = 'mine';
  readonly does = 'what you claimed or were given';

  constructor(
    private readonly reviews: ReviewsService,
    private readonly sight: ReviewSight,
  ) {
    super();
  }

  async said({ command }: Typed, who: Reviewer): Promise<Told> {
    const view = { kind: 'mine', personId: who.id } as const;
    // Of a queue that somebody lost the grant for they are shown nothing, whoever gave them the review.
    const { queues } = (await this.sight.roster()).acting(who);
    const found = await this.reviews.list({ view, queues, order: 'due', limit: MOST_LISTED + 1 });
    return reviewList(
      found,
      { title: 'What is yours', none: 'Nothing is yours now.', hasMore: found.length > MOST_LISTED, command },
      (review) => this.sight.pageOf(review),
    );
  }
}
