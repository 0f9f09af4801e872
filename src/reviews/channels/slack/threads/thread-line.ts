import type { Telling } from '../../channel.js';
import { tellingWords } from '../../telling-words.js';
import type { StoredComment } from '../../../sql/comments.js';
import type { ReviewEvent } from '../../../sql/review-events.js';
import { moment } from '../block-kit.js';
import { proseSpan } from '../slack-text.js';

/** A line of a review's thread. */
export interface ThreadLine {
  /** Absent of a comment, which may change until it is said. */
  readonly text?: string | undefined;
  /** Shown in the channel, too: only what must not be missed. */
  readonly broadcast?: boolean | undefined;
  /** The comment that it tells of. */
  readonly commentId?: string | undefined;
}

const MAX_TEXT_LINES = 25;
const MAX_TEXT = 2400;

/** What the thread is told of an event; nothing of what the message itself shows. */
export function threadLine(event: Pick<ReviewEvent, 'kind' | 'by' | 'data'>): ThreadLine | undefined {
  const { kind, data } = event;
  const who = named(event.by.name);
  switch (kind) {
    case 'reminded':
      return { text: 'Still waiting for a decision.' };
    case 'due_soon':
      return { text: `Due ${timeIn(data, 'dueAt', 'soon')}; a quarter of the time is left.` };
    case 'breached':
      return { text: `*Overdue*: it was due ${timeIn(data, 'dueAt', 'before now')}.`, broadcast: true };
    case 'escalated':
      return { text: 'Escalated: nobody decided so far, and more people are asked.' };
    case 'renewed':
      return { text: '*Asked again*: the scan result changed, and earlier votes no longer count.' };
    case 'asked':
      return { text: `${who} asks:\n${quoted(data['question'])}` };
    case 'answered':
      return { text: `Answered by ${who}:\n${quoted(data['answer'])}` };
    case 'commented':
    case 'comment_edited':
      return typeof data['comment'] === 'string' ? { commentId: data['comment'] } : undefined;
    default:
      return undefined;
  }
}

/** What the thread is told of a comment that was written or, as `comment_edited`, changed. */
export const commentLine = (kind: string, { author, text }: Pick<StoredComment, 'author' | 'text'>): string =>
  `${named(author.name)} ${kind === 'comment_edited' ? 'changed a comment' : 'wrote'}:\n${quoted(text)}`;

/** The same of one that it was told and that is removed. */
export const removedLine = ({ author }: Pick<StoredComment, 'author'>): string =>
  `A comment of ${named(author.name)} was removed in Slack.`;

const named = (name: string): string => `*${proseSpan(name, 80)}*`;

/** What somebody said: it is worth telling late, when what the clock says is long known. */
export const isWords = (kind: string): boolean =>
  kind === 'asked' || kind === 'answered' || kind === 'commented' || kind === 'comment_edited';

/** Why somebody is told in their direct messages, and what was said to them with it. @param room for what was said. */
export function tellingText(
  telling: Telling,
  room = MAX_TEXT,
): { readonly line: string; readonly text: string } {
  const { line, said } = tellingWords(telling);
  const shown = proseSpan(line, 400);
  return { line: shown, text: said === undefined ? shown : `${shown}\n${quoted(said, room)}` };
}

function timeIn(data: ReviewEvent['data'], field: string, otherwise: string): string {
  const at = typeof data[field] === 'string' ? Date.parse(data[field]) : Number.NaN;
  return Number.isNaN(at) ? otherwise : moment(at);
}

/** Somebody's text, line by line, as a quotation in which nothing is a link, a mention or a format. */
export function quoted(text: unknown, max = MAX_TEXT): string {
  const given = (typeof text === 'string' ? text : '').split(/\r?\n/);
  const lines: string[] = [];
  let room = max;
  for (const line of given.slice(0, MAX_TEXT_LINES)) {
    if (room < 20) break;
    const shown = `> ${proseSpan(line, Math.min(room, 1500))}`;
    lines.push(shown);
    room -= shown.length + 1;
  }
  const left = given.length - lines.length;
  return [
    ...lines,
    ...(left > 0 ? [`_and ${left} more ${left === 1 ? 'line' : 'lines'} on the web_`] : []),
  ].join('\n');
}
