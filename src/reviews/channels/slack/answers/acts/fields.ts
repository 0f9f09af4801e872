import type { InputBlock } from '@slack/types';
import { INPUT_ACTION, input } from '../../block-kit.js';
import { MAX_REASON_LENGTH } from '../../../../rules/command.js';
import { InvalidInput } from '../../../../../errors.js';
import type { Instant } from '../../../../../clock.js';
import type { Said } from '../said.js';

/** A text of several lines. */
export const words = (
  blockId: string,
  label: string,
  more: { readonly optional?: boolean; readonly hint?: string } = {},
): InputBlock =>
  input(
    blockId,
    label,
    { type: 'plain_text_input', action_id: INPUT_ACTION, multiline: true, max_length: MAX_REASON_LENGTH },
    more,
  );

/** A moment; at first a day from now, at the full hour. */
export const until = (blockId: string, label: string, now: Instant): InputBlock =>
  input(blockId, label, {
    type: 'datetimepicker',
    action_id: INPUT_ACTION,
    initial_date_time: Math.ceil((now + DAY_MS) / HOUR_MS) * (HOUR_MS / 1000),
  });

/** @throws InvalidInput at the field that is empty. */
export function needed(said: Said, blockId: string, what: string): string {
  const text = said.text(blockId);
  if (text.trim() === '') throw InvalidInput.field(blockId, what);
  return text;
}

/** @throws InvalidInput at the field. */
export function neededMoment(said: Said, blockId: string): Instant {
  const at = said.moment(blockId);
  if (at === undefined || Math.abs(at) > LAST_MOMENT) throw InvalidInput.field(blockId, 'must be a time');
  return at;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LAST_MOMENT = 8.64e15;
