import { Inject, Injectable } from '@nestjs/common';
import { AppError, InvalidInput } from '../../../../errors.js';
import { LOG, type Log } from '../../../../ops/log.js';
import { ReviewsService } from '../../../reviews.service.js';
import type { Reviewer } from '../../../rules/review.js';
import type { ViewSubmission } from '../inbound/payloads.js';
import { SlackForm } from './answer.js';
import { DECIDE_VIEW, DecideMemory, REASON_ACTION, REASON_BLOCK } from './decide-view.js';
import { fieldError, memoryOf, say } from './view.js';

/** Makes the decision: through the same call as the web and the mail page. */
@Injectable()
export class DecideForm extends SlackForm {
  readonly callbackId = DECIDE_VIEW;

  constructor(
    @Inject(LOG) private readonly log: Log,
    private readonly reviews: ReviewsService,
  ) {
    super();
  }

  async submitted({ view }: ViewSubmission, who: Reviewer): Promise<Record<string, unknown> | undefined> {
    const memory = memoryOf(DecideMemory, view.private_metadata);
    if (memory === undefined) return say('Not understood', 'This form is too old. Click the button again.');
    const reason = view.state.values[REASON_BLOCK]?.[REASON_ACTION]?.value ?? '';
    if (reason.trim() === '') return fieldError(REASON_BLOCK, 'Please say why.');
    const { reviewId, outcome, digest } = memory;
    try {
      await this.reviews.act(
        reviewId,
        { kind: 'decide', outcome, reason: reason.replaceAll('\u0000', '').toWellFormed(), digest },
        who,
      );
      return undefined;
    } catch (error) {
      if (error instanceof InvalidInput) return fieldError(REASON_BLOCK, error.message);
      if (error instanceof AppError && error.status < 500) return say('Not decided', error.message);
      this.log.error({ err: error, reviewId }, 'a decision from Slack could not be stored');
      return say(
        'Not decided',
        'Something went wrong on our side. Nothing was changed; try again or use the web.',
      );
    }
  }
}
