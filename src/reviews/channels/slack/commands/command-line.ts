/*
 * What somebody typed behind a slash command: a verb, perhaps the review that is meant, and what is said with it.
 */

/** The words of a command. */
export interface CommandLine {
  /** In small letters; empty where nothing was typed. */
  readonly verb: string;
  /** What follows the verb. */
  readonly rest: string;
}

export function readCommand(text: string): CommandLine {
  const [, verb = '', rest = ''] = /^\s*(\S*)\s*([^]*)$/.exec(text) ?? [];
  return { verb: verb.toLowerCase(), rest: rest.trim() };
}

/** The first word, and the rest. */
export function firstWord(text: string): { readonly word: string; readonly rest: string } {
  const [, word = '', rest = ''] = /^\s*(\S*)\s*([^]*)$/.exec(text) ?? [];
  return { word, rest: rest.trim() };
}

const WHOLE = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
const BEGIN = /^[0-9a-f]{8}[0-9a-f-]{0,28}$/;

/**
 * The id, or its beginning, that somebody means: as it is written, without dashes, in back-ticks, or within the address of
 * the review's page. Undefined for what is none.
 */
export function meantId(word: string): string | undefined {
  const typed = word.toLowerCase().replaceAll('`', '');
  const whole = WHOLE.exec(typed)?.[0];
  if (whole !== undefined) return whole;
  if (!BEGIN.test(typed)) return undefined;
  const digits = typed.replaceAll('-', '').slice(0, 32);
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(12, 16),
    digits.slice(16, 20),
    digits.slice(20),
  ]
    .filter((part) => part !== '')
    .join('-');
}
