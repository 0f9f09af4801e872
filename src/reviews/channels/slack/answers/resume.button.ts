import { Injectable } from '@nestjs/common';
import { ReviewsService } from '../../../reviews.service.js';
import type { Reviewer } from '../../../rules/review.js';
import { parseValue, RESUME_ACTION } from '../review-buttons.js';
import { SlackButton, type Click } from './answer.js';

/** Ends a hold, or the wait for an answer. */
@Injectable()
export class ResumeButton extends SlackButton {
  readonly actionId = RESUME_ACTION;

  constructor(private readonly reviews: ReviewsService) {
    super();
  }

  async clicked({ value, whisper }: Click, who: Reviewer): Promise<void> {
    const meant = parseValue(value);
    if (meant === undefined) return;
    await this.reviews.act(meant.reviewId, { kind: 'resume' }, who);
    await whisper('It goes on: those who are asked may decide now.');
  }
}
