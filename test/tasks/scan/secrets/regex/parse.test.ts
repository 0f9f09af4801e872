import { describe, expect, test } from 'vitest';
import { PatternError } from '../../../../../src/tasks/scan/secrets/errors.js';
import { emitPattern } from '../../../../../src/tasks/scan/secrets/regex/emit.js';
import { parsePattern } from '../../../../../src/tasks/scan/secrets/regex/parse.js';

const translate = (source: string): RegExp => new RegExp(emitPattern(parsePattern(source)));
const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

const meanings: readonly (readonly [pattern: string, matches: readonly string[], not: readonly string[]])[] =
  [
    ['(?i)abc', ['xABCx', 'aBc'], ['ab']],
    ['a(?i:b)c', ['aBc', 'abc'], ['ABc', 'aBC']],
    ['a(?i)b|c', ['aB', 'C'], ['AB']],
    ['(?i)a(?-i)b', ['Ab', 'ab'], ['AB']],
    ['(?i:a(?-i:b))c', ['Abc'], ['ABc', 'abC']],
    ['(?P<name>a)(?<other>b)', ['ab'], ['ba']],
    ['\\Aab\\z', ['ab'], ['ab\n', 'xab', 'abx']],
    ['^a$', ['a'], ['b\na', 'a\nb', 'a\n']],
    ['(?m)^a$', ['b\na', 'a\nb'], ['ab']],
    ['a.b', ['a b', 'a\rb'], ['a\nb', 'ab']],
    ['(?s)a.b', ['a\nb'], ['ab']],
    ['(?s:a.)b.', ['a\nbc'], ['a\nb\n']],
    ['[[:alnum:]]+!', ['a1!'], ['-!']],
    ['[^[:digit:]x]', ['y'], ['1', 'x', '1x']],
    ['[[:^space:]]', ['a'], [' ', '\v', '\t']],
    ['\\s', [' ', '\f'], ['\v', '\u00a0']],
    ['[\\d\\-x]{3}', ['1-x'], ['1_x']],
    ['[]a]+b', [']b', 'a]b'], ['b']],
    ['[a-]', ['-', 'a'], ['b']],
    ['\\x41\\x{42}\\103', ['ABC'], ['abc']],
    ['\\Qa.b*\\E+', ['a.b**'], ['axb*']],
    ['\\Q[x', ['[x'], ['x']],
    ['a{2,3}b', ['aab'], ['ab']],
    ['a{,2}', ['a{,2}'], ['aa']],
    ['x{', ['x{'], ['x']],
    ['(a|b|)c', ['c', 'ac'], ['a']],
    ['é+', [latin1('éé')], ['e']],
    ['a\\/b\\"\\-\\#', ['a/b"-#'], ['ab']],
    ['\\bab\\B', ['abc'], ['ab', 'xabc']],
    ['[[:word:]]\\.', ['_.'], ['-.']],
  ];

describe('a pattern in Go syntax keeps its meaning', () => {
  test.each(meanings)('%s', (pattern, matches, not) => {
    const regex = translate(pattern);
    for (const text of matches) expect(regex.test(text), `should match ${JSON.stringify(text)}`).toBe(true);
    for (const text of not) expect(regex.test(text), `should not match ${JSON.stringify(text)}`).toBe(false);
  });

  test('every byte escaped in a class matches itself and nothing else', () => {
    for (let byte = 0; byte < 256; byte++) {
      const regex = new RegExp(`^${emitPattern(parsePattern(`[\\x{${byte.toString(16)}}]`))}$`);
      expect(regex.test(String.fromCharCode(byte))).toBe(true);
      expect(regex.test(String.fromCharCode((byte + 1) % 256))).toBe(false);
    }
  });
});

const refusals: readonly (readonly [pattern: string, says: RegExp])[] = [
  ['(?U)a+', /flag U/],
  ['(?=a)', /look-around/],
  ['(?<!a)b', /look-around/],
  ['(?>a)', /look-around, atomic/],
  ['(a)\\1', /back-references/],
  ['\\p{L}', /Unicode classes/],
  ['[é]', /only ASCII/],
  ['(a', /never closed/],
  ['a)', /unmatched/],
  ['[a', /never closed/],
  ['[z-a]', /ends below/],
  ['*a', /nothing to repeat/],
  ['a**', /two quantifiers/],
  ['a{3,2}', /ends below/],
  ['a{1001}', /above 1000/],
  ['[[:nope:]]', /unknown class/],
  ['\\y', /unknown escape/],
  ['a\\', /ends with a backslash/],
  ['(?q:a)', /unknown group or flag/],
];

describe('a pattern that cannot be kept as written is refused with the place and the reason', () => {
  test.each(refusals)('%s', (pattern, says) => {
    expect(() => parsePattern(pattern)).toThrow(PatternError);
    expect(() => parsePattern(pattern)).toThrow(says);
    expect(() => parsePattern(pattern)).toThrow(/at character \d+/);
  });
});
