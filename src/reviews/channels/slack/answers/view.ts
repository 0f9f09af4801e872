import type { KnownBlock, ModalView } from '@slack/types';
import type { z } from 'zod';
import { plain, section } from '../block-kit.js';
import { proseSpan } from '../slack-text.js';

// Slack's own limit of a field's error is not documented; longer ones are cut in its window.
const MAX_FIELD_ERROR = 300;

/** A modal that only says something, in the place of the form. */
export const sayView = (
  title: string,
  text: string,
  blocks: KnownBlock[] = [section([proseSpan(text, 2000)])],
): ModalView => ({
  type: 'modal',
  callback_id: 'review.said',
  title: plain(title, 24),
  close: plain('Close', 24),
  blocks,
});

/** An acknowledgement that shows a text where the form was. */
export const say = (title: string, text: string): { response_action: 'update'; view: ModalView } => ({
  response_action: 'update',
  view: sayView(title, text),
});

/** An acknowledgement that leaves the form open, with what is wrong at each field, by its block. */
export const fieldErrors = (
  errors: Readonly<Record<string, string>>,
): { response_action: 'errors'; errors: Record<string, string> } => ({
  response_action: 'errors',
  errors: Object.fromEntries(
    Object.entries(errors).map(([blockId, text]) => [blockId, text.slice(0, MAX_FIELD_ERROR)]),
  ),
});

/** What a modal remembers from its opening; `undefined` for what is not ours, or of a release whose forms were others. */
export function memoryOf<T>(shape: z.ZodType<T>, privateMetadata: string | undefined): T | undefined {
  let stored: unknown;
  try {
    stored = JSON.parse(privateMetadata ?? '');
  } catch {
    // Not ours then; the shape says no to undefined.
    stored = undefined;
  }
  return shape.safeParse(stored).data;
}
