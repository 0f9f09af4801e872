import { Injectable } from '@nestjs/common';
import { ReviewsService } from '../../../../reviews.service.js';
import type { Reviewer } from '../../../../rules/review.js';
import { shortId } from '../../review-line.js';
import { firstWord } from '../command-line.js';
import { CommandDecision } from '../command-decision.js';
import { NamedReview } from '../named-review.js';
import { SlackVerb, type Told, type Typed } from '../verb.js';

/** Gives a review back. As `release` with a reason, the outcome of that name is meant, which needs one. */
@Injectable()
export class ReleaseVerb extends SlackVerb {
  readonly name = 'give-back';
  override readonly alsoNamed = 'release';
  readonly usage = 'give-back ID';
  readonly does = 'give back what you claimed';

  constructor(
    private readonly reviews: ReviewsService,
    private readonly named: NamedReview,
    private readonly decision: CommandDecision,
  ) {
    super();
  }

  async said({ verb, rest, triggerId }: Typed, who: Reviewer): Promise<Told | undefined> {
    const { word, rest: reason } = firstWord(rest);
    const review = await this.named.find(word, who);
    if (verb === 'release' && reason !== '' && review.outcomes.includes('release'))
      return this.decision.decide(review, 'release', { reason, triggerId }, who);
    await this.reviews.act(review.id, { kind: 'release' }, who);
    return { text: `Given back: \`${shortId(review)}\`.` };
  }
}
