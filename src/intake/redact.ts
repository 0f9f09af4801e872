/*
 * What a source sent is kept so that an operator sees it and takes it in again. Some of it opens doors: the token that
 * confirms or cancels a subscription, a signed URL, an Authorization header that a proxy put into the body.
 */

const REDACTED = '[redacted]';

/** Names of fields whose values are for whoever sent them only; without case, dashes and underscores. */
const SECRET_FIELDS = new Set([
  'token',
  'accesstoken',
  'sessiontoken',
  'securitytoken',
  'xamzsecuritytoken',
  'subscribeurl',
  'unsubscribeurl',
  'authorization',
  'proxyauthorization',
  'cookie',
  'setcookie',
  'password',
  'passwd',
  'secret',
  'secretkey',
  'secretaccesskey',
  'apikey',
  'xapikey',
  'privatekey',
]);

const MAX_DEPTH = 64;

const bare = (name: string): string => name.toLowerCase().replaceAll(/[-_ ]/g, '');

/** In running text and in addresses: the value after such a name, up to where it ends. */
const IN_TEXT: readonly (readonly [RegExp, string])[] = [
  [/\b(X-Amz-(?:Signature|Security-Token|Credential))=[^&\s"']+/gi, `$1=${REDACTED}`],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${REDACTED}`],
];

/** The same for text that could not be parsed, where names and values are only guessed. */
const IN_UNPARSED: readonly (readonly [RegExp, string])[] = [
  ...IN_TEXT,
  [
    /(\b(?:\w*token|authorization|password|passwd|secret\w*|api_?key|cookie|(?:un)?subscribeurl)\\?["']?\s*[:=]\s*\\?["']?)[^\s"'\\,;&}]+/gi,
    `$1${REDACTED}`,
  ],
];

/** A value of parsed JSON without what opens doors; everything else is as it was, so that it can be taken in again. */
export function redacted(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return replaced(value, IN_TEXT);
  if (value === null || typeof value !== 'object' || depth >= MAX_DEPTH) return value;
  if (Array.isArray(value)) return value.map((item) => redacted(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      SECRET_FIELDS.has(bare(name)) && item !== null ? REDACTED : redacted(item, depth + 1),
    ]),
  );
}

/** The same for what is no JSON. */
export const redactedText = (text: string): string => replaced(text, IN_UNPARSED);

const replaced = (text: string, patterns: readonly (readonly [RegExp, string])[]): string =>
  patterns.reduce((sofar, [pattern, instead]) => sofar.replaceAll(pattern, instead), text);
