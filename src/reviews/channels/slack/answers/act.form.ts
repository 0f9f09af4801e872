import { Inject, Injectable } from '@nestjs/common';
import { InvalidInput, type AppError } from '../../../../errors.js';
import type { Reviewer } from '../../../rules/review.js';
import type { ViewSubmission } from '../inbound/payloads.js';
import { ActDoer } from './acts/act-doer.js';
import { SLACK_ACTS, type SlackAct } from './acts/act.js';
import { SlackForm } from './answer.js';
import { ACT_VIEW, ActMemory } from './more-view.js';
import { ReviewSight } from './review-sight.js';
import { Said } from './said.js';
import { fieldErrors, memoryOf, say } from './view.js';

/** Does what its form was opened for. */
@Injectable()
export class ActForm extends SlackForm {
  readonly callbackId = ACT_VIEW;

  constructor(
    @Inject(SLACK_ACTS) private readonly acts: readonly SlackAct[],
    private readonly sight: ReviewSight,
    private readonly doer: ActDoer,
  ) {
    super();
  }

  async submitted({ view }: ViewSubmission, who: Reviewer): Promise<Record<string, unknown> | undefined> {
    const memory = memoryOf(ActMemory, view.private_metadata);
    const act = this.acts.find(({ name }) => name === memory?.act);
    if (memory === undefined || act === undefined)
      return say('Not understood', 'This form is too old. Click the button again.');
    const { values } = view.state;
    return this.doer.orSay(
      act,
      memory.reviewId,
      async () => this.doer.perform(act, await this.sight.seen(memory.reviewId, who), new Said(values), who),
      (error) => atField(error, Object.keys(values)),
    );
  }
}

/** What is wrong with a field, at that field. */
function atField(error: AppError, blockIds: readonly string[]): Record<string, unknown> | undefined {
  const [problem] = error instanceof InvalidInput ? error.problems : [];
  return problem !== undefined && blockIds.includes(problem.path)
    ? fieldErrors({ [problem.path]: `It ${problem.message}.` })
    : undefined;
}
