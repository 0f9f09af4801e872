import type { Encoding } from './layer.js';
import { pair, softBreak } from './units.js';

/** What a character that is written otherwise begins with. The prefilter looks for it together with all keywords. */
export interface Trigger {
  /** Lower case. */
  readonly text: string;
  readonly encoding: Encoding;
  /** Whether the text at `at` is what it looks like. */
  readonly isReally: (bytes: Uint8Array, at: number, to: number) => boolean;
}

// A word shorter than that is no secret.
const SHORTEST_WORD = 8;
const IN_WORD = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) IN_WORD[byte] = /[\w%\\&=-]/.test(String.fromCharCode(byte)) ? 1 : 0;

/** Whether a word begins here that is long enough, or one that is written otherwise. */
function isBeforeWord(bytes: Uint8Array, at: number, to: number): boolean {
  // What stands behind the end is another text's.
  if (at + SHORTEST_WORD > to) return false;
  for (let i = 0; i < SHORTEST_WORD; i++) if (IN_WORD[bytes[at + i]!] === 0) return false;
  return true;
}

/** Blanks and letters beyond ASCII are no part of a secret: they matter when they hide where one begins. */
const isTelling = (bytes: Uint8Array, value: number, after: number, to: number): boolean =>
  (value > 0x20 && value < 0x7f) || isBeforeWord(bytes, after, to);

/** A form with so many hexadecimal digits behind `skip` characters. */
const digits = (count: number, skip: number) => (bytes: Uint8Array, at: number, to: number) => {
  let value = 0;
  for (let i = 0; i < count; i += 2) {
    const byte = pair(bytes, at + skip + i, to);
    if (byte === undefined) return false;
    value = value * 256 + byte;
  }
  return isTelling(bytes, value, at + skip + count, to);
};

function isOctal(bytes: Uint8Array, at: number, to: number): boolean {
  if (at + 4 > to) return false;
  let value = 0;
  for (let i = 1; i <= 3; i++) {
    const digit = (bytes[at + i] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) return false;
    value = value * 8 + digit;
  }
  return isTelling(bytes, value, at + 4, to);
}

const always = (): boolean => true;

const isPair = (bytes: Uint8Array, at: number, to: number): boolean =>
  at < to && bytes[at] === 0x3d && pair(bytes, at + 1, to) !== undefined;

/** Two characters in a row: `a=4` alone is an assignment. */
const isQuotedPair = (bytes: Uint8Array, at: number, to: number): boolean =>
  isPair(bytes, at, to) && isPair(bytes, at + 3, to);

/** Entities that no secret holds, and those that may be a part of one. */
const BESIDE_WORDS = ['amp', 'quot', 'apos', 'lt', 'gt'];
const IN_WORDS = ['equals', 'colon', 'lowbar', 'sol', 'plus', 'dash', 'hyphen'];

export const TRIGGERS: readonly Trigger[] = [
  ...'01234567'.split('').map((digit): Trigger => ({
    text: `%${digit}`,
    encoding: 'percent',
    isReally: digits(2, 1),
  })),
  {
    text: '\\u',
    encoding: 'escape',
    isReally: (bytes, at, to) => (at + 2 < to && bytes[at + 2] === 0x7b) || digits(4, 2)(bytes, at, to),
  },
  { text: '\\x', encoding: 'escape', isReally: digits(2, 2) },
  { text: 'u+', encoding: 'escape', isReally: digits(4, 2) },
  ...'0123'
    .split('')
    .map((digit): Trigger => ({ text: `\\${digit}`, encoding: 'escape', isReally: isOctal })),
  { text: '&#', encoding: 'html', isReally: always },
  ...BESIDE_WORDS.map((name): Trigger => ({
    text: `&${name};`,
    encoding: 'html',
    isReally: (bytes, at, to) => isBeforeWord(bytes, at + name.length + 2, to),
  })),
  ...IN_WORDS.map((name): Trigger => ({ text: `&${name};`, encoding: 'html', isReally: always })),
  ...['=3d', '=2d', '=5f'].map((text): Trigger => ({ text, encoding: 'quoted-printable', isReally: always })),
  ...'234567'.split('').map((digit): Trigger => ({
    text: `=${digit}`,
    encoding: 'quoted-printable',
    isReally: isQuotedPair,
  })),
  ...['=\n', '=\r'].map((text): Trigger => ({
    text,
    encoding: 'quoted-printable',
    isReally: (bytes, at, to) => softBreak(bytes, at + 1, to) !== undefined,
  })),
];
