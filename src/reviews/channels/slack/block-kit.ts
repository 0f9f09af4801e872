import type { Button, ContextBlock, InputBlock, KnownBlock, PlainTextOption } from '@slack/types';
import type { Instant } from '../../../clock.js';
import { minuteOf } from '../question.js';
import { bounded } from './slack-text.js';

// Slack refuses a section above 3,000, and a whole message above roughly 13,200 (not documented); we stay well below.
const SECTION = 2900;

/** Whole lines, as many as have room: a cut inside one could leave a code span or an entity open. */
function linesWithin(lines: readonly string[], max: number): string {
  let text = '';
  for (const line of lines) {
    if (text.length + line.length + 1 > max) break;
    text += text === '' ? line : `\n${line}`;
  }
  return text === '' ? ' ' : text;
}

/** Lines in Slack's own format; those that have no room are left out. */
export const section = (lines: readonly string[], max = SECTION) => ({
  type: 'section' as const,
  text: { type: 'mrkdwn' as const, text: linesWithin(lines, max), verbatim: true },
});

/** The same in small print. */
export const context = (lines: readonly string[], max = 1900): ContextBlock => ({
  type: 'context',
  elements: [{ type: 'mrkdwn', text: linesWithin(lines, max), verbatim: true }],
});

export const header = (text: string): KnownBlock => ({
  type: 'header',
  text: { type: 'plain_text', text: bounded(text, 150) || ' ', emoji: false },
});

/** A label without any format. */
export const plain = (text: string, max: number) => ({
  type: 'plain_text' as const,
  text: bounded(text, max) || ' ',
  emoji: false,
});

export const button = (actionId: string, label: string, value: string): Button => ({
  type: 'button',
  action_id: actionId,
  text: plain(label, 75),
  value,
});

/** A button that opens a page. Slack tells of the click all the same. */
export const linkButton = (actionId: string, label: string, value: string, url: string): Button => ({
  ...button(actionId, label, value),
  url,
});

/** One of a list to choose from. */
export const option = (value: string, label: string): PlainTextOption => ({ value, text: plain(label, 75) });

/** action_id of every field of a modal; its block says which it is. */
export const INPUT_ACTION = 'text';

/** A field of a modal: its label above, a hint below. */
export function input(
  blockId: string,
  label: string,
  element: InputBlock['element'],
  more: { readonly hint?: string | undefined; readonly optional?: boolean } = {},
): InputBlock {
  return {
    type: 'input',
    block_id: blockId,
    label: plain(label, 150),
    ...(more.hint === undefined || more.hint.trim() === '' ? {} : { hint: plain(more.hint, 300) }),
    ...(more.optional === true ? { optional: true } : {}),
    element,
  };
}

/** A moment that Slack shows in the reader's own time zone. */
export const moment = (at: Instant): string =>
  `<!date^${Math.floor(at / 1000)}^{date_short_pretty} {time}|${minuteOf(at)}>`;
