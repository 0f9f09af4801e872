import { Injectable } from '@nestjs/common';
import type { InputBlock } from '@slack/types';
import type { Review } from '../../../../review.js';
import { ReviewsService } from '../../../../reviews.service.js';
import type { ReviewCommand } from '../../../../rules/command.js';
import type { Reviewer } from '../../../../rules/review.js';
import type { Said } from '../said.js';
import { SlackAct } from './act.js';
import { needed, words } from './fields.js';

/** Skips the question: the workflow goes on without an answer, and by whose word. */
@Injectable()
export class SkipAct extends SlackAct {
  readonly name = 'skip';
  readonly label = 'Skip it: the workflow goes on unanswered…';
  readonly title = 'Skip';

  constructor(private readonly reviews: ReviewsService) {
    super();
  }

  fits(): boolean {
    return true;
  }

  override trial(): ReviewCommand {
    return { kind: 'skip', reason: 'to be given' };
  }

  override async inputs(): Promise<readonly InputBlock[]> {
    return [words('reason', 'Why?', { hint: 'Kept in the audit trail.' })];
  }

  async perform(review: Review, said: Said, who: Reviewer): Promise<string> {
    const reason = needed(said, 'reason', 'must say why');
    await this.reviews.act(review.id, { kind: 'skip', reason }, who);
    return 'Skipped: the workflow goes on without an answer.';
  }
}
