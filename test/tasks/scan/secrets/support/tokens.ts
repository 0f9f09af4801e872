import { base62Checksum } from '../../../../../src/tasks/scan/secrets/engine/checksum.js';

// Tokens are put together here, at run time: none stands in this repository, where it would look like a leaked one.

const DIGITS = '0123456789';
const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const UPPER = LOWER.toUpperCase();

export const alphabets = {
  digits: DIGITS,
  hex: `${DIGITS}abcdef`,
  lower: LOWER,
  upper: UPPER,
  letters: LOWER + UPPER,
  lowerAlnum: DIGITS + LOWER,
  upperAlnum: DIGITS + UPPER,
  alnum: DIGITS + LOWER + UPPER,
  base32: `${UPPER}234567`,
  base64: `${DIGITS}${LOWER}${UPPER}+/`,
  word: `${DIGITS}${LOWER}${UPPER}_-`,
} as const;

/** Characters that look random and are the same in every run. */
export function randomText(alphabet: string, length: number, seed = 1): string {
  let state = (seed * 2654435761 + length) >>> 0;
  let text = '';
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    text += alphabet.charAt((state >>> 8) % alphabet.length);
  }
  return text;
}

/** A GitHub or npm token; its checksum is right unless asked otherwise. */
export function checkedToken(prefix: string, seed = 1, options: { valid?: boolean } = {}): string {
  const body = randomText(alphabets.alnum, 30, seed);
  const checksum = base62Checksum(body);
  if (options.valid !== false) return prefix + body + checksum;
  return prefix + body + (checksum.startsWith('0') ? '1' : '0') + checksum.slice(1);
}

export const githubPrefix = ['gh', 'p_'].join('');
export const awsPrefix = ['AK', 'IA'].join('');
export const slackBotPrefix = ['xo', 'xb-'].join('');

export const githubToken = (seed = 1): string => checkedToken(githubPrefix, seed);
export const awsKeyId = (seed = 1): string => awsPrefix + randomText(alphabets.base32, 16, seed);

/** A key block of random bytes in armour; it opens nothing. */
export function privateKey(kind = 'RSA ', bytes = 1200, seed = 1): string {
  const label = [kind, 'PRIV', 'ATE KEY'].join('');
  const body = randomText(alphabets.base64, bytes, seed).replace(/.{64}/g, '$&\n');
  return `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----`;
}
