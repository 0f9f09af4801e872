import { Inject, Injectable } from '@nestjs/common';
import { AppError, InvalidInput } from '../../../../../errors.js';
import { LOG, type Log } from '../../../../../ops/log.js';
import type { Review } from '../../../../review.js';
import { ReviewsService } from '../../../../reviews.service.js';
import { outcomeFacts } from '../../../../rules/outcome.js';
import type { Reviewer } from '../../../../rules/review.js';
import type { ViewSubmission } from '../../inbound/payloads.js';
import { SlackForm } from '../answer.js';
import { atFields, formAnswers, untouched } from '../form/form-answers.js';
import type { FormField } from '../form/form-field.js';
import { Said } from '../said.js';
import { fieldErrors, memoryOf, say } from '../view.js';
import { DECIDE_VIEW, DecideMemory, inputsOf, isRefusing, REASON_BLOCK } from './decide-view.js';

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
    const said = new Said(view.state.values);
    const reason = said.text(REASON_BLOCK);
    if (reason.trim() === '' && outcomeFacts(memory.outcome).needsReason)
      return fieldErrors({ [REASON_BLOCK]: 'Please say why.' });
    const { reviewId, outcome, digest } = memory;
    let fields: readonly FormField[] = [];
    try {
      const review = await this.reviews.get(reviewId);
      fields = fieldsShown(review, memory);
      const { form, problems } = formAnswers(fields, said);
      if (Object.keys(problems).length > 0) return fieldErrors(problems);
      const filledIn = isLeftOut(review, outcome, fields, form) ? {} : { form };
      await this.reviews.act(reviewId, { kind: 'decide', outcome, reason, digest, ...filledIn }, who);
      return undefined;
    } catch (error) {
      if (error instanceof InvalidInput) return fieldErrors(errorsOf(error, fields));
      if (error instanceof AppError && error.status < 500) return say('Not decided', error.message);
      this.log.error({ err: error, reviewId }, 'a decision from Slack could not be stored');
      return say(
        'Not decided',
        'Something went wrong on our side. Nothing was changed; try again or use the web.',
      );
    }
  }
}

/** The fields that were filled in. Where the question is another by now, they are not its fields, and it is refused as stale. */
function fieldsShown(review: Review, { outcome, digest }: DecideMemory): readonly FormField[] {
  const inputs = review.subjectDigest === digest ? inputsOf(review, outcome) : undefined;
  return inputs?.fits === true ? inputs.fields : [];
}

/** There is no form to fill in, or whoever refuses did not touch it. */
const isLeftOut = (
  review: Review,
  outcome: string,
  fields: readonly FormField[],
  form: Readonly<Record<string, unknown>>,
): boolean =>
  review.policy.form === undefined ||
  (isRefusing(review, outcome) && JSON.stringify(form) === JSON.stringify(untouched(fields)));

/** What the server found wrong at the fields that it is about, the rest at the reason. */
function errorsOf(error: InvalidInput, fields: readonly FormField[]): Record<string, string> {
  const { errors, others } = atFields(fields, error.problems);
  const rest = error.problems.length === 0 ? [error.message] : others;
  return rest.length === 0 ? errors : { ...errors, [REASON_BLOCK]: rest.join(' ') };
}
