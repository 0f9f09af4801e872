import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../../../config.js';
import { ReviewsService } from '../../../reviews.service.js';
import type { Reviewer } from '../../../rules/review.js';
import { DECIDE_ACTION, parseValue } from '../review-message.js';
import { SlackAccess } from '../setup/slack-access.js';
import { SlackButton, type Click } from './answer.js';
import { decideView, type DecideMemory } from './decide-view.js';

/** Opens the form in which a decision is made. */
@Injectable()
export class DecideButton extends SlackButton {
  readonly actionId = DECIDE_ACTION;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly reviews: ReviewsService,
    private readonly access: SlackAccess,
  ) {
    super();
  }

  async clicked({ payload, detail: outcome, value, channel }: Click, who: Reviewer): Promise<void> {
    const meant = parseValue(value);
    if (meant === undefined) return;
    const { reviewId, digest } = meant;
    const review = await this.reviews.get(reviewId);
    // Whoever could not decide anyway is told before writing a reason, not after.
    await this.reviews.tryOut(review, { kind: 'decide', outcome, reason: 'to be given', digest }, who);
    const memory: DecideMemory = { reviewId, digest, outcome, channel };
    await this.access.web?.views.open({
      trigger_id: payload.trigger_id,
      view: decideView(review, outcome, JSON.stringify(memory), this.config.DRY_RUN),
    });
  }
}
