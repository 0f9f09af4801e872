import { Injectable } from '@nestjs/common';
import type { InputBlock } from '@slack/types';
import type { Review } from '../../../../review.js';
import { ReviewsService } from '../../../../reviews.service.js';
import type { Reviewer } from '../../../../rules/review.js';
import type { Said } from '../said.js';
import { SlackAct } from './act.js';
import { needed, words } from './fields.js';

/** Answers what was asked back; the review goes on. */
@Injectable()
export class AnswerAct extends SlackAct {
  readonly name = 'answer';
  readonly label = 'Answer the question…';
  readonly title = 'Answer';

  constructor(private readonly reviews: ReviewsService) {
    super();
  }

  fits({ info }: Review): boolean {
    return info !== undefined;
  }

  override async inputs({ info }: Review): Promise<readonly InputBlock[]> {
    return [words('text', 'Answer', { hint: info?.question ?? '' })];
  }

  async perform(review: Review, said: Said, who: Reviewer): Promise<string> {
    const text = needed(said, 'text', 'must hold an answer');
    await this.reviews.act(review.id, { kind: 'answer', text }, who);
    return 'Answered: the review goes on.';
  }
}
