/** So many names of one text are looked at; a comment that names more is a mailing. */
export const MAX_MENTIONS = 20;

/** The names after an `@` at the beginning of a word, as people log in, each once. */
export function mentionsIn(text: string): readonly string[] {
  const found = text.matchAll(/(?<![\p{L}\p{N}_.@+-])@([\p{L}\p{N}_][\p{L}\p{N}_.@+-]{0,99})/gu);
  // A full stop after a name ends the sentence.
  const names = [...found].map(([, name = '']) => name.replace(/[.@+-]+$/, ''));
  return [...new Map(names.map((name) => [name.toLowerCase(), name])).values()].slice(0, MAX_MENTIONS);
}
