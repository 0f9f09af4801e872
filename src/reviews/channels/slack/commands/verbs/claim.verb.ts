import { Injectable } from '@nestjs/common';
import { ReviewsService } from '../../../../reviews.service.js';
import type { Reviewer } from '../../../../rules/review.js';
import { firstWord } from '../command-line.js';
import { NamedReview } from '../named-review.js';
import { SlackVerb, type Told, type Typed } from '../verb.js';

/** Claims a review, and shows it. */
@Injectable()
export class ClaimVerb extends SlackVerb {
  readonly name = 'claim';
  readonly usage = 'claim ID';
  readonly does = 'claim it';

  constructor(
    private readonly reviews: ReviewsService,
    private readonly named: NamedReview,
  ) {
    super();
  }

  async said({ rest }: Typed, who: Reviewer): Promise<Told> {
    const { id } = await this.named.find(firstWord(rest).word, who);
    const review = await this.reviews.act(id, { kind: 'claim' }, who);
    return this.named.shown(review, who, 'It is yours now.');
  }
}
