import type { Config } from '../../../../config.js';
import { MAX_REASON_LENGTH } from '../../../rules/command.js';
import { isEnded, type ReviewStanding } from '../../../rules/review.js';

/** What a reply asks for. */
export type ReplyCommand =
  | { readonly kind: 'claim' }
  | { readonly kind: 'decide'; readonly outcome: string; readonly reason: string }
  | { readonly kind: 'comment'; readonly text: string }
  /** Nothing was written above the quotation. */
  | { readonly kind: 'nothing' };

// Where the mail that is answered begins, in the words of the usual programs; what comes below is not the writer's.
const QUOTED = [
  /^\s*>/,
  /^\s*-{2,}\s*(original message|forwarded message|ursprüngliche nachricht|message d'origine|mensaje original)\s*-{2,}/i,
  /^\s*_{10,}\s*$/,
  /^\s*(on|am|le|el|il|op)\s.{5,200}\s(wrote|schrieb.*|a écrit|escribió|ha scritto|schreef.*)\s*:\s*$/i,
  /^\s*(from|von|de|da|van)\s*:\s.+@.+/i,
];
// RFC 3676 4.3: what stands below is a signature.
const SIGNATURE = /^-- ?$/;
const MOST_LINES = 500;

/** What its writer wrote: everything above the quotation and the signature. */
export function ownWords(text: string): string {
  const lines = text.split(/\r?\n/, MOST_LINES);
  const own: string[] = [];
  for (const [index, line] of lines.entries()) {
    // Programs break the line that introduces a quotation.
    const joined = `${line} ${lines[index + 1] ?? ''}`;
    if (
      SIGNATURE.test(line) ||
      QUOTED.some((begin) => begin.test(line) || (/^\s*(on|am|le)\s/i.test(line) && begin.test(joined)))
    )
      break;
    own.push(line.trimEnd());
  }
  return own.join('\n').trim();
}

/**
 * Reads a reply. A command is the first line and nothing else on it: `claim`, `comment`, or an outcome by its name,
 * in any case; what follows is the reason. Whatever else was written is a comment, never a guess at a decision.
 */
export function readReply(text: string, outcomes: readonly string[]): ReplyCommand {
  // What PostgreSQL cannot store is not part of what anybody wrote.
  const words = ownWords(text.replaceAll('\u0000', '').toWellFormed());
  if (words === '') return { kind: 'nothing' };
  const [first = '', ...rest] = words.split('\n');
  const command = first.trim().toLowerCase();
  const after = rest.join('\n').trim().slice(0, MAX_REASON_LENGTH);
  if (command === 'claim') return { kind: 'claim' };
  const outcome = outcomes.find((name) => name.toLowerCase() === command);
  if (outcome !== undefined) return { kind: 'decide', outcome, reason: after };
  const comment = (/^comment\b:?\s*/i.test(first) ? words.replace(/^comment\b:?\s*/i, '') : words).trim();
  return comment === ''
    ? { kind: 'nothing' }
    : { kind: 'comment', text: comment.slice(0, MAX_REASON_LENGTH) };
}

/** What a reply can say, for the person who may write one. */
export function help(
  { state, outcomes, policy }: Pick<ReviewStanding, 'state' | 'outcomes' | 'policy'>,
  allowed: Config['MAIL_REPLIES'],
): string {
  if (allowed === 'comment' || isEnded(state)) return 'What you write above the quotation becomes a comment.';
  const words = outcomes.filter((outcome) => allowed === 'decide' || policy.rejecting.includes(outcome));
  return `Write one of these words alone on the first line: ${['claim', ...words].join(', ')}. What follows is the reason; anything else becomes a comment.`;
}
