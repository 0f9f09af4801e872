import { Injectable } from '@nestjs/common';
import { Forbidden, InvalidInput, NotFound } from '../../../../../errors.js';
import { mayDecideIn } from '../../../../people.js';
import { ReviewsService } from '../../../../reviews.service.js';
import type { Reviewer } from '../../../../rules/review.js';
import { ReviewSight } from '../../answers/review-sight.js';
import { KnownQueues } from '../../setup/known-queues.js';
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
    private readonly known: KnownQueues,
  ) {
    super();
  }

  /** @throws InvalidInput; Forbidden for a queue that is none of theirs; NotFound for one that nothing names. */
  async said({ command, rest }: Typed, who: Reviewer): Promise<Told> {
    const { word: queue } = firstWord(rest);
    if (queue.length > LONGEST_QUEUE)
      throw InvalidInput.field('queue', `must be at most ${LONGEST_QUEUE} characters`);
    const { queues } = (await this.sight.roster()).acting(who);
    // Whether there is a queue of this name is not told to who would see nothing of it.
    if (queue !== '' && !mayDecideIn(queue, { queues }))
      throw new Forbidden(`You may not see reviews of the queue ${queue}. Ask an admin for a grant for it.`);
    const found = await this.reviews.list({
      queue: queue === '' ? undefined : queue,
      queues,
      order: 'due',
      limit: MOST_LISTED + 1,
    });
    if (queue !== '' && found.length === 0 && !(await this.known.isKnown(queue)))
      throw new NotFound(`There is no queue named ${queue}: no review ever came into it. Check its name.`);
    const where = queue === '' ? '' : ` in the queue ${proseSpan(queue, LONGEST_QUEUE)}`;
    return reviewList(
      found,
      {
        title: `What waits${where}`,
        none: `Nothing waits${where}.`,
        hasMore: found.length > MOST_LISTED,
        command,
      },
      (review) => this.sight.pageOf(review),
    );
  }
}
