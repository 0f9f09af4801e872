import { Injectable } from '@nestjs/common';
import { InvalidInput } from '../../../../../errors.js';
import { ReviewsService } from '../../../../reviews.service.js';
import type { Reviewer } from '../../../../rules/review.js';
import { ReviewSight } from '../../answers/review-sight.js';
import { proseSpan } from '../../slack-text.js';
import { firstWord } from '../command-line.js';
import { MOST_LISTED, reviewList } from '../review-list.js';
import { SlackVerb, type Told, type Typed } from '../verb.js';

const LONGEST_QUEUE = 100;

/** What waits, in one queue or in all that somebody sees. */
@Injectable()
export class ListVerb extends SlackVerb {
  readonly name = 'list';
  readonly usage = 'list [QUEUE]';
  readonly does = 'what waits for somebody, what is due first';

  constructor(
    private readonly reviews: ReviewsService,
    private readonly sight: ReviewSight,
  ) {
    super();
  }

  async said({ rest }: Typed, who: Reviewer): Promise<Told> {
    const { word: queue } = firstWord(rest);
    if (queue.length > LONGEST_QUEUE)
      throw InvalidInput.field('queue', `must be at most ${LONGEST_QUEUE} characters`);
    const { queues } = (await this.sight.roster()).acting(who);
    const found = await this.reviews.list({
      queue: queue === '' ? undefined : queue,
      queues,
      order: 'due',
      limit: MOST_LISTED + 1,
    });
    const where = queue === '' ? '' : ` in the queue ${proseSpan(queue, LONGEST_QUEUE)}`;
    return reviewList(
      found,
      { title: `What waits${where}`, none: `Nothing waits${where}.`, hasMore: found.length > MOST_LISTED },
      (review) => this.sight.pageOf(review),
    );
  }
}
