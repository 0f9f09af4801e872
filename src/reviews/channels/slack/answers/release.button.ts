import { Injectable } from '@nestjs/common';
import { ReviewsService } from '../../../reviews.service.js';
import type { Reviewer } from '../../../rules/review.js';
import { parseValue, RELEASE_ACTION } from '../review-buttons.js';
import { SlackButton, type Click } from './answer.js';

/** Gives a review back to everybody who is asked, or to who handed it on. */
@Injectable()
export class ReleaseButton extends SlackButton {
  readonly actionId = RELEASE_ACTION;

  constructor(private readonly reviews: ReviewsService) {
    super();
  }

  async clicked({ value, whisper }: Click, who: Reviewer): Promise<void> {
    const meant = parseValue(value);
    if (meant === undefined) return;
    const { claim } = await this.reviews.act(meant.reviewId, { kind: 'release' }, who);
    await whisper(
      claim === undefined
        ? 'Given back: anybody who is asked may claim it.'
        : `Given back to ${claim.by.name}.`,
    );
  }
}
