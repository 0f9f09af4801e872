/** A piece of mrkdwn text as Slack shows it. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'bold' | 'italic' | 'strike'; readonly inner: readonly Piece[] }
  | { readonly kind: 'code' | 'preformatted'; readonly inner: readonly Piece[] }
  | { readonly kind: 'link'; readonly url: string; readonly label: string; readonly isBare: boolean }
  | { readonly kind: 'mention'; readonly of: string; readonly label: string }
  | { readonly kind: 'date'; readonly at: number; readonly format: string; readonly fallback: string };

// What Slack makes a link of where nothing says `verbatim`.
const BARE =
  /\b(?:(?:https?|ftp):\/\/|mailto:|www\.)[^\s<>|]+|\b[\w.+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}\b/gi;
const SCHEME = /^[a-z][a-z0-9+.-]*:/i;

/** The three entities that Slack knows, read back. */
export const unescaped = (text: string): string =>
  text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');

/** Reads text as Slack reads mrkdwn. @param options.verbatim leaves addresses alone that are not in `<…>`. */
export function pieces(text: string, options: { readonly verbatim?: boolean } = {}): Piece[] {
  const isVerbatim = options.verbatim === true;
  // `<…>` means the same inside code as outside, so code is looked for around it and not before it.
  return split(
    text,
    /```([\s\S]+?)```/g,
    (code) => ({ kind: 'preformatted', inner: controls(code, true) }),
    (rest) =>
      split(
        rest,
        /`([^`\n]+)`/g,
        (code) => ({ kind: 'code', inner: controls(code, true) }),
        (words) => formatted(words, isVerbatim),
      ),
  );
}

/** Cuts text at a pattern, whose first group is given to `inside`; what lies between goes on to `outside`. */
function split(
  text: string,
  pattern: RegExp,
  inside: (match: string) => Piece,
  outside: (rest: string) => Piece[],
): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    found.push(...outside(text.slice(from, match.index)), inside(match[1] ?? match[0]));
    from = match.index + match[0].length;
  }
  return [...found, ...outside(text.slice(from))];
}

const MARKS = { '*': 'bold', _: 'italic', '~': 'strike' } as const;

function formatted(text: string, isVerbatim: boolean): Piece[] {
  if (text === '') return [];
  // A mark counts only at the edge of a word, as in Slack.
  const match = /(?<![\w*_~])([*_~])(?=\S)([^\n]*?\S)\1(?![\w*_~])/.exec(text);
  if (match?.[2] === undefined) return controls(text, isVerbatim);
  const kind = MARKS[match[1] as keyof typeof MARKS];
  return [
    ...controls(text.slice(0, match.index), isVerbatim),
    { kind, inner: formatted(match[2], isVerbatim) },
    ...formatted(text.slice(match.index + match[0].length), isVerbatim),
  ];
}

function controls(text: string, isVerbatim: boolean): Piece[] {
  return split(text, /<([^<>]+)>/g, control, (rest) => (isVerbatim ? plain(rest) : withBareLinks(rest)));
}

const plain = (text: string): Piece[] => (text === '' ? [] : [{ kind: 'text', text: unescaped(text) }]);

function withBareLinks(text: string): Piece[] {
  const link = (found: string): Piece => {
    const url = unescaped(found);
    return { kind: 'link', url, label: url, isBare: true };
  };
  return split(text, BARE, link, plain);
}

/** What stands between `<` and `>`. */
function control(inside: string): Piece {
  const [target = '', ...rest] = inside.split('|');
  const label = unescaped(rest.join('|'));
  if (/^[@#]/.test(target)) return { kind: 'mention', of: target, label };
  const date = /^!date\^(\d+)\^([^^]*)(?:\^.*)?$/.exec(target);
  if (date !== null)
    return { kind: 'date', at: Number(date[1]), format: unescaped(date[2] ?? ''), fallback: label };
  if (target.startsWith('!')) return { kind: 'mention', of: target, label };
  const url = unescaped(target);
  if (SCHEME.test(url)) return { kind: 'link', url, label: label === '' ? url : label, isBare: false };
  return { kind: 'text', text: unescaped(`<${inside}>`) };
}
