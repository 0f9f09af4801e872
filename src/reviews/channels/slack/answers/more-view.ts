import type { InputBlock, ModalView } from '@slack/types';
import { z } from 'zod';
import type { Review } from '../../../review.js';
import { headlineOf, nameOf } from '../../question.js';
import { INPUT_ACTION, input, option, plain, section } from '../block-kit.js';
import { standingLines } from '../review-standing.js';
import { codeSpan, proseSpan } from '../slack-text.js';
import type { SlackAct } from './acts/act.js';

/** callback_ids of the list of what can be done, and of the form of one of them. */
export const MORE_VIEW = 'review.more';
export const ACT_VIEW = 'review.act';
/** block_id of the list's choice. */
export const CHOICE_BLOCK = 'choice';

/** What both remember. */
export const ActMemory = z.object({ reviewId: z.uuid(), act: z.string().min(1).max(60).optional() });
export type ActMemory = z.infer<typeof ActMemory>;

/** What else can be done with a review than decide it. */
export const moreView = (review: Review, acts: readonly SlackAct[]): ModalView => ({
  type: 'modal',
  callback_id: MORE_VIEW,
  private_metadata: JSON.stringify({ reviewId: review.id } satisfies ActMemory),
  title: plain('More', 24),
  submit: plain('Go on', 24),
  close: plain('Cancel', 24),
  blocks: [
    about(review),
    input(CHOICE_BLOCK, 'What do you want to do?', {
      type: 'radio_buttons',
      action_id: INPUT_ACTION,
      // Slack's limit; there are not that many.
      options: acts.slice(0, 10).map(({ name, label }) => option(name, label)),
    }),
  ],
});

/** The form in which something is done. */
export const actView = (review: Review, act: SlackAct, inputs: readonly InputBlock[]): ModalView => ({
  type: 'modal',
  callback_id: ACT_VIEW,
  private_metadata: JSON.stringify({ reviewId: review.id, act: act.name } satisfies ActMemory),
  title: plain(act.title, 24),
  submit: plain(act.title, 24),
  close: plain('Cancel', 24),
  blocks: [about(review), ...inputs],
});

const about = (review: Review) =>
  section([
    `*${proseSpan(headlineOf(review), 150)}*`,
    ...(nameOf(review, 320) === '' ? [] : [codeSpan(nameOf(review, 320), 320)]),
    ...standingLines(review),
  ]);
