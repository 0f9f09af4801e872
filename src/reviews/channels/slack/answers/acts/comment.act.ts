import { Injectable } from '@nestjs/common';
import type { InputBlock } from '@slack/types';
import { ReviewComments } from '../../../../comments/comments.service.js';
import type { Review } from '../../../../review.js';
import type { Reviewer } from '../../../../rules/review.js';
import { INPUT_ACTION, input } from '../../block-kit.js';
import type { Said } from '../said.js';
import { SlackAct } from './act.js';
import { needed } from './fields.js';

// Slack takes no longer text in a field; a comment on the web may have 10,000.
const LONGEST = 3000;

/** Says something of a review, and decides nothing. */
@Injectable()
export class CommentAct extends SlackAct {
  readonly name = 'comment';
  readonly label = 'Write a comment…';
  readonly title = 'Write a comment';

  constructor(private readonly comments: ReviewComments) {
    super();
  }

  fits(): boolean {
    return true;
  }

  override async inputs(): Promise<readonly InputBlock[]> {
    return [
      input(
        'text',
        'Comment',
        { type: 'plain_text_input', action_id: INPUT_ACTION, multiline: true, max_length: LONGEST },
        { hint: 'Stands in the review’s timeline. Whoever it names with @ is told by mail.' },
      ),
    ];
  }

  async perform(review: Review, said: Said, who: Reviewer): Promise<string> {
    const text = needed(said, 'text', 'must hold a comment');
    await this.comments.add(review, text, who);
    return 'Your comment stands in the review’s timeline.';
  }
}
