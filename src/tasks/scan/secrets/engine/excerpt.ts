/** How many characters before a secret are looked at for the name that it is assigned to. */
export const EXCERPT_CONTEXT = 64;

// What may be shown before a secret: the name it is assigned to, or the scheme and user of a URL. Nothing else,
// since a line with one secret often holds another that no rule knows.
const ASSIGNED_NAME = /(?:^|[^\w.-])([A-Za-z_][\w.-]{0,39}["'`]?[ \t]{0,4}(?:=>|:=|==|=|:)[ \t]{0,4}["'`]?)$/;
const URL_USER = /(?:^|[^\w+.-])([a-z][a-z+]{1,20}:\/\/[\w.-]{0,32}:)$/i;
const LONGEST_SHOWN_PREFIX = 4;

/**
 * One line for people: `GITHUB_TOKEN="ghp_…(40 characters)`. The secret shows nothing but the first characters of
 * its publicly known prefix, four at most.
 *
 * `before` is what stands directly before the secret; `clearFrom` is the first of its characters that no other
 * finding covers up to the secret, so that a neighbour is never shown in part.
 */
export function maskedExcerpt(
  secret: string,
  knownPrefix: string,
  before: string,
  clearFrom: number,
): string {
  const shown = secret.slice(0, Math.min(knownPrefix.length, LONGEST_SHOWN_PREFIX));
  const size = `…(${secret.length} character${secret.length === 1 ? '' : 's'})`;
  const context = URL_USER.exec(before) ?? ASSIGNED_NAME.exec(before);
  const name = context?.[1] ?? '';
  return before.length - name.length >= clearFrom ? `${name}${shown}${size}` : `${shown}${size}`;
}
