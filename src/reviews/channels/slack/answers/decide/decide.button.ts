import { Injectable } from '@nestjs/common';
import { ReviewsService } from '../../../../reviews.service.js';
import type { Reviewer } from '../../../../rules/review.js';
import { DECIDE_ACTION, parseValue } from '../../review-buttons.js';
import { SlackButton, type Click } from '../answer.js';
import { ReviewSight } from '../review-sight.js';
import { SlackModals } from '../slack-modals.js';
import { decideView, type DecideMemory } from './decide-view.js';

/** Opens the form in which a decision is made. */
@Injectable()
export class DecideButton extends SlackButton {
  readonly actionId = DECIDE_ACTION;

  constructor(
    private readonly reviews: ReviewsService,
    private readonly sight: ReviewSight,
    private readonly modals: SlackModals,
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
    await this.sight.reads(review, who);
    const memory: DecideMemory = { reviewId, digest, outcome, channel };
    const place = { dryRun: this.sight.dryRun, pageUrl: this.sight.pageOf(review) };
    await this.modals.open(payload.trigger_id, decideView(review, outcome, JSON.stringify(memory), place));
  }
}
