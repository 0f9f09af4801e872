import { describe, expect, test } from 'vitest';
import {
  findAnchor,
  literalBeginnings,
  maxLength,
  splitOptionalPrefix,
} from '../../../../../src/tasks/scan/secrets/regex/measure.js';
import { parsePattern } from '../../../../../src/tasks/scan/secrets/regex/parse.js';

describe('the literal beginnings of a pattern', () => {
  test.each<[string, readonly string[] | undefined]>([
    ['abc[0-9]+', ['abc']],
    ['\\b(gh[pousr])_x', ['gho_x', 'ghp_x', 'ghr_x', 'ghs_x', 'ghu_x']],
    ['(?i)(?:AKIA|ASIA)[A-Z]{16}', ['akia', 'asia']],
    ['(?:ab)?cd', ['cd', 'abcd']],
    ['(?:foo|foobar)x*', ['foo']],
    ['a+b', undefined],
    ['[a-z]foo', undefined],
    ['(?:foo|\\d+)', undefined],
    ['x{3}[a-z]', ['xxx']],
  ])('%s', (pattern, expected) => {
    expect(literalBeginnings(parsePattern(pattern))).toEqual(expected);
  });
});

describe('the anchor of a pattern', () => {
  test('stands after a run of known length', () => {
    expect(findAnchor(parsePattern('\\b([0-9a-f]{32}-us\\d)'))).toEqual({
      literals: ['-us'],
      minOffset: 32,
      maxOffset: 32,
    });
  });

  test('may stand at one of a few distances', () => {
    expect(findAnchor(parsePattern('[0-9]{8,10}:AA'))).toEqual({
      literals: [':aa'],
      minOffset: 8,
      maxOffset: 10,
    });
  });

  test('is not sought behind a run of any length', () => {
    expect(findAnchor(parsePattern('[0-9]+:AA'))).toBeUndefined();
  });
});

test('a leading optional run is taken off, and the rest keeps its anchor', () => {
  const split = splitOptionalPrefix(parsePattern('(?i)[\\w.-]{0,50}?(?:datadog)=x'));
  expect(split?.maxPrefix).toBe(50);
  expect(findAnchor(split!.rest)?.literals).toEqual(['datadog=x']);
});

test('the longest match of a bounded pattern is known, of an unbounded one it is infinite', () => {
  expect(maxLength(parsePattern('a{2,5}(b|ccc)?\\b'))).toBe(8);
  expect(maxLength(parsePattern('a+'))).toBe(Infinity);
});
