import { Injectable } from '@nestjs/common';
import { Database } from '../../../../database/database.js';
import { InvalidInput, NotFound } from '../../../../errors.js';
import type { Review } from '../../../review.js';
import type { Reviewer } from '../../../rules/review.js';
import { ReviewSight } from '../answers/review-sight.js';
import { section } from '../block-kit.js';
import { SHORT_ID } from '../review-line.js';
import { reviewMessage } from '../review-message.js';
import { idsThatBegin } from '../sql/find-by-short-id.js';
import { meantId } from './command-line.js';
import type { Told } from './verb.js';

/** The review that somebody names in a command, and how it is shown to them. */
@Injectable()
export class NamedReview {
  constructor(
    private readonly db: Database,
    private readonly sight: ReviewSight,
  ) {}

  /** @throws InvalidInput for no id; NotFound for none that begins so, or several; Forbidden for a queue that is none of theirs. */
  async find(word: string, who: Reviewer): Promise<Review> {
    const begin = meantId(word);
    if (begin === undefined)
      throw InvalidInput.field(
        'id',
        `must be the first ${SHORT_ID} characters of a review’s id, or more of it; the list shows them`,
      );
    const ids = await idsThatBegin(this.db, begin);
    const [id] = ids;
    if (id === undefined)
      throw new NotFound(`No review ${begin}. The list shows the ids of those that wait.`);
    if (ids.length > 1) throw new NotFound(`Several reviews begin with ${begin}. Type more of the id.`);
    return this.sight.seen(id, who);
  }

  /** With evidence and buttons, as its message has them. @param text above them, of our own words. */
  message(review: Review, text?: string): Told {
    const message = reviewMessage(review, this.sight.pageOf(review), this.sight.dryRun);
    if (text === undefined) return message;
    return { text: `${text} ${message.text}`, blocks: [section([text]), ...message.blocks] };
  }

  /** The same, and the audit has it. */
  async shown(review: Review, who: Reviewer, text?: string): Promise<Told> {
    await this.sight.reads(review, who);
    return this.message(review, text);
  }
}
