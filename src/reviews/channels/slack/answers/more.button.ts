import { Inject, Injectable } from '@nestjs/common';
import { refusalError } from '../../../refusal-error.js';
import { ended } from '../../../rules/command.js';
import { isEnded, type Reviewer } from '../../../rules/review.js';
import { MORE_ACTION, parseValue } from '../review-buttons.js';
import { SLACK_ACTS, type SlackAct } from './acts/act.js';
import { SlackButton, type Click } from './answer.js';
import { moreView } from './more-view.js';
import { ReviewSight } from './review-sight.js';
import { SlackModals } from './slack-modals.js';

/** Opens the list of what else can be done with a review. */
@Injectable()
export class MoreButton extends SlackButton {
  readonly actionId = MORE_ACTION;

  constructor(
    @Inject(SLACK_ACTS) private readonly acts: readonly SlackAct[],
    private readonly sight: ReviewSight,
    private readonly modals: SlackModals,
  ) {
    super();
  }

  async clicked({ payload, value }: Click, who: Reviewer): Promise<void> {
    const meant = parseValue(value);
    if (meant === undefined) return;
    const review = await this.sight.seen(meant.reviewId, who);
    const late = isEnded(review.state) ? ended(review) : undefined;
    if (late?.kind === 'refused') throw refusalError(late.refusal);
    const fitting = await Promise.all(this.acts.map(async (act) => act.fits(review, who)));
    const acts = this.acts.filter((_, n) => fitting[n] === true);
    await this.modals.open(payload.trigger_id, moreView(review, acts));
  }
}
