import { Injectable } from '@nestjs/common';
import type { Review } from '../../../../review.js';
import { ReviewsService } from '../../../../reviews.service.js';
import type { Reviewer } from '../../../../rules/review.js';
import type { Said } from '../said.js';
import { SlackAct } from './act.js';

/** Takes the own vote back, as long as it decided nothing. */
@Injectable()
export class WithdrawAct extends SlackAct {
  readonly name = 'withdraw';
  readonly label = 'Take my vote back';
  readonly title = 'Take my vote back';

  constructor(private readonly reviews: ReviewsService) {
    super();
  }

  fits({ votes }: Review, who: Reviewer): boolean {
    return votes.some(({ by }) => by.id === who.id);
  }

  async perform(review: Review, _said: Said, who: Reviewer): Promise<string> {
    await this.reviews.act(review.id, { kind: 'withdraw' }, who);
    return 'Your vote is taken back. You may vote again.';
  }
}
