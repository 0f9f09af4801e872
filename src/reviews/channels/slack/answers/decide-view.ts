import type { ModalView } from '@slack/types';
import { z } from 'zod';
import type { Review } from '../../../review.js';
import { MAX_REASON_LENGTH } from '../../../rules/command.js';
import { outcomeFacts } from '../../../rules/outcome.js';
import { questionOf } from '../../question.js';
import { plain, section } from '../block-kit.js';
import { slackLabel } from '../review-message.js';
import { codeSpan, proseSpan } from '../slack-text.js';

/** callback_id of the form, block_id and action_id of its input. */
export const DECIDE_VIEW = 'review.decide';
export const REASON_BLOCK = 'reason';
export const REASON_ACTION = 'text';

/** What the form remembers between opening and submitting. */
export const DecideMemory = z.object({
  reviewId: z.uuid(),
  digest: z.string().length(64),
  outcome: z.string().min(1).max(60),
  channel: z.string().max(100).optional(),
});
export type DecideMemory = z.infer<typeof DecideMemory>;

/** The form in which a decision is made; nothing is decided before it is sent. */
export function decideView(
  review: Review,
  outcome: string,
  privateMetadata: string,
  dryRun: boolean,
): ModalView {
  const question = questionOf(review, 0, dryRun);
  const chosen = question.outcomes.find(({ name }) => name === outcome) ?? outcomeFacts(outcome);
  return {
    type: 'modal',
    callback_id: DECIDE_VIEW,
    private_metadata: privateMetadata,
    title: plain(slackLabel(review, outcome), 24),
    submit: plain(slackLabel(review, outcome), 24),
    close: plain('Cancel', 24),
    blocks: [
      section([
        `*${proseSpan(question.headline, 150)}*`,
        codeSpan(question.name, 320),
        proseSpan(chosen.effect, 300),
      ]),
      {
        type: 'input',
        block_id: REASON_BLOCK,
        label: plain('Why?', 100),
        hint: plain('Kept in the audit trail.', 150),
        element: {
          type: 'plain_text_input',
          action_id: REASON_ACTION,
          multiline: true,
          min_length: 1,
          max_length: MAX_REASON_LENGTH,
        },
      },
    ],
  };
}
