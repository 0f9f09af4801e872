import { expect, test } from 'vitest';
import { members } from '../../../../../src/tasks/scan/secrets/regex/byte-set.js';
import { openingOf } from '../../../../../src/tasks/scan/secrets/regex/opening.js';
import { parsePattern } from '../../../../../src/tasks/scan/secrets/regex/parse.js';

const opening = (pattern: string, most = 8): string[] =>
  openingOf(parsePattern(pattern), most).map((set) => String.fromCharCode(...members(set)));

test.each<[string, string[]]>([
  ['abc', ['a', 'b', 'c']],
  ['\\bab?c', ['a', 'bc']],
  ['(?:ab|c)d', ['ac', 'bd']],
  ['a[0-2]{2,}x', ['a', '012', '012', '012x']],
  ['(a|)*b', ['ab']],
  ['x?', []],
])('each place of %s holds what any match may have there, up to the shortest', (pattern, places) => {
  expect(opening(pattern)).toEqual(places);
});

test('no more places are told than are asked for', () => {
  expect(opening('[a-b]{20}', 3)).toEqual(['ab', 'ab', 'ab']);
});

test('what may be nothing a thousand times a thousand times costs no more than once', () => {
  expect(opening('k((((a?){1000}){1000}){1000}){1000}b', 3)).toEqual(['k', 'ab']);
});
