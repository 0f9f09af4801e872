import type { Button, KnownBlock } from '@slack/types';
import type { Instant } from '../../../clock.js';
import { minuteOf } from '../question.js';
import { bounded } from './slack-text.js';

// Slack refuses a section above 3,000, and a whole message above roughly 13,200 (not documented); we stay well below.
const SECTION = 2900;

/** Lines in Slack's own format; whole lines only. */
export const section = (lines: readonly string[]): KnownBlock => {
  // Whole lines only: a cut inside one could leave a code span or an entity open.
  let text = '';
  for (const line of lines) {
    if (text.length + line.length + 1 > SECTION) break;
    text += text === '' ? line : `\n${line}`;
  }
  return { type: 'section', text: { type: 'mrkdwn', text: text === '' ? ' ' : text, verbatim: true } };
};

/** A label without any format. */
export const plain = (text: string, max: number) => ({
  type: 'plain_text' as const,
  text: bounded(text, max),
  emoji: false,
});

export const button = (actionId: string, label: string, value: string): Button => ({
  type: 'button',
  action_id: actionId,
  text: plain(label, 75),
  value,
});

/** A moment that Slack shows in the reader's own time zone. */
export const moment = (at: Instant): string =>
  `<!date^${Math.floor(at / 1000)}^{date_short_pretty} {time}|${minuteOf(at)}>`;
