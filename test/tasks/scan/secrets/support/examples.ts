import type { Example } from '../../../../../src/tasks/scan/secrets/rules/rule.js';
import { alphabets, randomText } from './tokens.js';

const named: Readonly<Record<string, string>> = {
  digit: alphabets.digits,
  hex: alphabets.hex,
  lower: alphabets.lower,
  upper: alphabets.upper,
  alpha: alphabets.letters,
  lowerAlnum: alphabets.lowerAlnum,
  upperAlnum: alphabets.upperAlnum,
  alnum: alphabets.alnum,
  base32: alphabets.base32,
  base64: alphabets.base64,
  word: alphabets.word,
  bech32: 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L',
};

/** Puts an example of a rule together; another seed gives another token of the same format. */
export function expand(example: Example, seed = 1): string {
  let count = seed * 1009;
  const random = (alphabet: string, length: number): string => randomText(alphabet, length, ++count);
  return example
    .join('')
    .replaceAll(/\{(?:uuid|([A-Za-z0-9]+):(\d+))\}/g, (whole, name?: string, length?: string) => {
      if (name === undefined) return [8, 4, 4, 4, 12].map((size) => random(alphabets.hex, size)).join('-');
      const alphabet = named[name];
      if (alphabet === undefined) throw new Error(`${whole}: no such alphabet`);
      return telling(random(alphabet, Number(length)), alphabet);
    });
}

/** Nothing ends in what could be taken for punctuation, and what may hold digits does: words are no tokens. */
function telling(text: string, alphabet: string): string {
  const ended = text.replace(/[-_+/]$/, 'x');
  return /\d/.test(ended) || !/\d/.test(alphabet) || ended.length < 8
    ? ended
    : `${ended.slice(0, -2)}7${ended.slice(-1)}`;
}
