import { Injectable } from '@nestjs/common';
import { ReviewsService } from '../../../reviews.service.js';
import type { Reviewer } from '../../../rules/review.js';
import { CLAIM_ACTION, parseValue } from '../review-buttons.js';
import { SlackButton, type Click } from './answer.js';

/** Claims a review. */
@Injectable()
export class ClaimButton extends SlackButton {
  readonly actionId = CLAIM_ACTION;

  constructor(private readonly reviews: ReviewsService) {
    super();
  }

  async clicked({ value, whisper }: Click, who: Reviewer): Promise<void> {
    const meant = parseValue(value);
    if (meant === undefined) return;
    await this.reviews.act(meant.reviewId, { kind: 'claim' }, who);
    await whisper('It is yours now. Decide here, in the mail or on the web.');
  }
}
