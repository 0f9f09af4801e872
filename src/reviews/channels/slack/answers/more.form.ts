import { Inject, Injectable } from '@nestjs/common';
import { ReviewsService } from '../../../reviews.service.js';
import type { Reviewer } from '../../../rules/review.js';
import type { ViewSubmission } from '../inbound/payloads.js';
import { ActDoer } from './acts/act-doer.js';
import { SLACK_ACTS, type SlackAct } from './acts/act.js';
import { SlackForm } from './answer.js';
import { ActMemory, actView, CHOICE_BLOCK, MORE_VIEW } from './more-view.js';
import { ReviewSight } from './review-sight.js';
import { Said } from './said.js';
import { fieldErrors, memoryOf, say } from './view.js';

/** Goes on to the form of what was chosen, or does it where nothing has to be said. */
@Injectable()
export class MoreForm extends SlackForm {
  readonly callbackId = MORE_VIEW;

  constructor(
    @Inject(SLACK_ACTS) private readonly acts: readonly SlackAct[],
    private readonly reviews: ReviewsService,
    private readonly sight: ReviewSight,
    private readonly doer: ActDoer,
  ) {
    super();
  }

  async submitted({ view }: ViewSubmission, who: Reviewer): Promise<Record<string, unknown> | undefined> {
    const memory = memoryOf(ActMemory, view.private_metadata);
    if (memory === undefined) return say('Not understood', 'This form is too old. Click the button again.');
    const said = new Said(view.state.values);
    const act = this.acts.find(({ name }) => name === said.choice(CHOICE_BLOCK));
    if (act === undefined) return fieldErrors({ [CHOICE_BLOCK]: 'Please choose.' });
    return this.doer.orSay(act, memory.reviewId, async () => {
      const review = await this.sight.seen(memory.reviewId, who);
      // Whoever may not is told before writing, not after.
      const trial = act.trial(review);
      if (trial !== undefined) await this.reviews.tryOut(review, trial, who);
      const inputs = await act.inputs(review, who);
      if (inputs.length > 0) return { response_action: 'update', view: actView(review, act, inputs) };
      return this.doer.perform(act, review, said, who);
    });
  }
}
