import { Injectable } from '@nestjs/common';
import type { InputBlock } from '@slack/types';
import { AskUploader } from '../../../../ask-uploader/ask-uploader.service.js';
import type { Review } from '../../../../review.js';
import type { ReviewCommand } from '../../../../rules/command.js';
import type { Reviewer } from '../../../../rules/review.js';
import type { Said } from '../said.js';
import { SlackAct } from './act.js';
import { needed, words } from './fields.js';

// As long as the web waits when nobody says otherwise.
const ANSWER_WITHIN_MS = 3 * 86_400_000;

/** Mails a question to whoever uploaded the object; the review waits for the answer. */
@Injectable()
export class AskUploaderAct extends SlackAct {
  readonly name = 'ask_uploader';
  readonly label = 'Ask the uploader by mail…';
  readonly title = 'Ask the uploader';

  constructor(private readonly questions: AskUploader) {
    super();
  }

  /** Where nobody knows whom to ask, nothing is offered; the review’s page says why. */
  async fits(review: Review): Promise<boolean> {
    const { state, info, subject } = review;
    return (
      subject.object !== undefined &&
      state !== 'ON_HOLD' &&
      info === undefined &&
      (await this.questions.whyNot(review)) === undefined
    );
  }

  override trial(): ReviewCommand {
    return { kind: 'ask', question: 'to be asked' };
  }

  override async inputs(): Promise<readonly InputBlock[]> {
    return [
      words('question', 'What do you want to know?', {
        hint: 'Without an answer within three days the review goes on.',
      }),
    ];
  }

  async perform(review: Review, said: Said, who: Reviewer): Promise<string> {
    const question = needed(said, 'question', 'must hold a question').trim();
    await this.questions.ask(review, question, ANSWER_WITHIN_MS, who);
    return 'The question is on its way by mail. The review waits for the answer, for three days.';
  }
}
