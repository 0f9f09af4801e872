import type { KnownBlock, ModalView } from '@slack/types';
import { z } from 'zod';
import type { Review } from '../../../../review.js';
import { MAX_REASON_LENGTH } from '../../../../rules/command.js';
import { outcomeFacts } from '../../../../rules/outcome.js';
import { questionOf } from '../../../question.js';
import { INPUT_ACTION, input, linkButton, plain, section } from '../../block-kit.js';
import { OPEN_ACTION, outcomeLabel, valueOf } from '../../review-buttons.js';
import { findingsOf } from '../../review-message.js';
import { standingLines } from '../../review-standing.js';
import { codeSpan, proseSpan } from '../../slack-text.js';
import { formInputs, type FormInputs } from '../form/form-inputs.js';

/** callback_id of the form, and block_id of its reason. */
export const DECIDE_VIEW = 'review.decide';
export const REASON_BLOCK = 'reason';

const FINDINGS_IN_FORM = 3;

/** What the form remembers between opening and submitting. */
export const DecideMemory = z.object({
  reviewId: z.uuid(),
  /** Of what was shown, the form's questions among it. */
  digest: z.string().length(64),
  outcome: z.string().min(1).max(60),
  channel: z.string().max(100).optional(),
});
export type DecideMemory = z.infer<typeof DecideMemory>;

/** An outcome that refuses needs no form: what the form asks for may be left out. */
export const isRefusing = ({ policy }: Review, outcome: string): boolean =>
  policy.rejecting.includes(outcome);

/** The question's form as fields; undefined where it has none. */
export const inputsOf = (review: Review, outcome: string): FormInputs | undefined =>
  review.policy.form === undefined ? undefined : formInputs(review.policy.form, !isRefusing(review, outcome));

/** The form in which a decision is made; nothing is decided before it is sent. */
export function decideView(
  review: Review,
  outcome: string,
  privateMetadata: string,
  place: {
    readonly dryRun: boolean;
    readonly pageUrl: string;
    /** What was said already. */
    readonly reason?: string | undefined;
  },
): ModalView {
  const question = questionOf(review, FINDINGS_IN_FORM, place.dryRun);
  const chosen = question.outcomes.find(({ name }) => name === outcome) ?? outcomeFacts(outcome);
  const inputs = inputsOf(review, outcome);
  const shown: KnownBlock[] = [
    section([
      `*${proseSpan(question.headline, 150)}*`,
      ...(question.name === '' ? [] : [codeSpan(question.name, 320)]),
      proseSpan(chosen.effect, 300),
    ]),
    ...findingsOf(question),
  ];
  const lines = standingLines(review);
  if (lines.length > 0) shown.push(section(lines));
  const title = { title: plain(outcomeLabel(outcome), 24), close: plain('Cancel', 24) };
  if (inputs?.fits === false && !isRefusing(review, outcome))
    return {
      type: 'modal',
      callback_id: DECIDE_VIEW,
      ...title,
      blocks: [...shown, ...elsewhere(review, inputs.why, place.pageUrl)],
    };
  const fields = inputs?.fits === true ? inputs.fields : [];
  return {
    type: 'modal',
    callback_id: DECIDE_VIEW,
    private_metadata: privateMetadata,
    ...title,
    submit: plain(outcomeLabel(outcome), 24),
    blocks: [...shown, ...fields.map(({ block }) => block), reasonInput(chosen.needsReason, place.reason)],
  };
}

const reasonInput = (isNeeded: boolean, said = '') =>
  input(
    REASON_BLOCK,
    'Why?',
    {
      type: 'plain_text_input',
      action_id: INPUT_ACTION,
      multiline: true,
      max_length: MAX_REASON_LENGTH,
      ...(isNeeded ? { min_length: 1 } : {}),
      ...(said === '' ? {} : { initial_value: said.slice(0, MAX_REASON_LENGTH) }),
    },
    { hint: 'Kept in the audit trail.', optional: !isNeeded },
  );

const elsewhere = (review: Review, why: string, pageUrl: string): KnownBlock[] => [
  section([
    `*This question has a form that Slack cannot show:* ${proseSpan(why, 400)}.`,
    'Answer it on the web.',
  ]),
  {
    type: 'actions',
    elements: [linkButton(OPEN_ACTION, 'Open', valueOf(review), pageUrl)],
  },
];
