import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '../../../../../errors.js';
import { LOG, type Log } from '../../../../../ops/log.js';
import type { Review } from '../../../../review.js';
import type { Reviewer } from '../../../../rules/review.js';
import type { Said } from '../said.js';
import { say } from '../view.js';
import type { SlackAct } from './act.js';

type Ack = Record<string, unknown>;

/** Does something, and says in the modal how it went. */
@Injectable()
export class ActDoer {
  constructor(@Inject(LOG) private readonly log: Log) {}

  async perform(act: SlackAct, review: Review, said: Said, who: Reviewer): Promise<Ack> {
    return say(act.title, await act.perform(review, said, who));
  }

  /** @param refused answers an error that whoever acts can do something about; it is told in the modal otherwise. */
  async orSay(
    act: SlackAct,
    reviewId: string,
    work: () => Promise<Ack>,
    refused: (error: AppError) => Ack | undefined = () => undefined,
  ): Promise<Ack> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof AppError && error.status < 500)
        return refused(error) ?? say('Not done', error.message);
      this.log.error(
        { err: error, reviewId, act: act.name },
        'what somebody did in Slack could not be stored',
      );
      return say(
        'Not done',
        'Something went wrong on our side. Nothing was changed; try again or use the web.',
      );
    }
  }
}
