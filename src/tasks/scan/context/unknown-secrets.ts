/*
 * A line with one secret often holds another that no rule knows. What looks like the value of something secret, or like
 * nothing that a person would write, is masked as well: too much rather than too little.
 */

const NAMES = String.raw`pass(?:word|wd|phrase|code)?|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|client[_-]?key|credential|cred|auth|session|cookie|signature|salt|seed`;
const ASSIGNED = new RegExp(
  String.raw`((?:${NAMES})[\w.-]{0,40}["'${'`'}\])>]{0,3}[ \t]{0,8}(?:=>|:=|==|=|:|,)[ \t]{0,8})(?:(["'${'`'}])((?:\\.|(?!\2)[^\\])+)|([^\s"'${'`'}]\S+))`,
  'giu',
);
const ELEMENT = new RegExp(String.raw`(<[^<>]{0,40}(?:${NAMES})[^<>]{0,80}>)([^<]{2,})`, 'giu');
// As options and .netrc write it, without a sign in between.
const WORD =
  /((?:\s--?[\w-]{0,40}(?:password|secret|token|key)|\bpass(?:word|wd|phrase))[ \t]{1,8})([^\s=:]\S+)/giu;
const AUTHORIZATION = /(authorization["'`]?[ \t]{0,8}[:=][ \t]{0,8}["'`]?)([^"'`]{2,})/giu;
const SCHEME = /\b((?:bearer|basic|digest|apikey|token)[ \t]{1,4})([\w.~+/=-]{6,})/giu;
// To the last sign: a password may hold what ends it elsewhere.
const URL_PASSWORD = /(:\/\/[^\s:@/]{0,64}:)([^\s"'`<>]{1,256})(?=@)/gu;
const TOKEN = /[A-Za-z0-9_+=.~-]{16,}|[A-Za-z0-9_+/=.~-]{28,}/gu;

/** In place of what is masked, as in an excerpt. */
export const hiddenText = (text: string): string => {
  const count = Array.from(text).length;
  return `…(${count} character${count === 1 ? '' : 's'})`;
};

/** The text with everything masked that may be a secret. */
export function withoutUnknownSecrets(text: string): string {
  return text
    .replace(URL_PASSWORD, masked)
    .replace(AUTHORIZATION, masked)
    .replace(SCHEME, masked)
    .replace(ELEMENT, masked)
    .replace(ASSIGNED, (_, before: string, quote = '', quoted?: string, plain = '') =>
      masked('', before + quote, quoted ?? plain),
    )
    .replace(WORD, masked)
    .replace(TOKEN, (token) => (looksRandom(token) ? hiddenText(token) : token));
}

const masked = (_: string, before: string, value: string): string =>
  before + (value.startsWith('…(') ? value : hiddenText(value));

/** Letters and digits mixed, or both cases over and over: no word, no path, no version. */
function looksRandom(token: string): boolean {
  const letters = /[A-Za-z]/.test(token);
  const digits = (token.match(/\d/g) ?? []).length;
  const changes = (token.match(/[a-z][A-Z0-9]|[A-Z0-9][a-z]|\d[A-Za-z]/g) ?? []).length;
  return letters && (digits >= 2 || changes >= 4) && !/^[\d.:_/-]*$/.test(token);
}
