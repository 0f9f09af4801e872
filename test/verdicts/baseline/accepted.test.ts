import fc from 'fast-check';
import { expect, test } from 'vitest';
import { acceptedAs, type Accepted } from '../../../src/verdicts/baseline/accepted.js';

const found = { kind: 'secret', fingerprint: 'f', ruleId: 'r' } as const;
const known = { fingerprint: 'f', reason: 'rotated' };

test.each<[string, Accepted, boolean]>([
  ['for its fingerprint', known, true],
  ['not for another', { ...known, fingerprint: 'g' }, false],
  ['in its bucket', { ...known, bucket: 'b' }, true],
  ['not in another', { ...known, bucket: 'c' }, false],
  ['under its rule', { ...known, ruleId: 'r' }, true],
  ['not under another', { ...known, ruleId: 's' }, false],
  ['until it expires', { ...known, expiresAt: 1001 }, true],
  ['not when it expires', { ...known, expiresAt: 1000 }, false],
])('an entry answers %s', (_, entry, does) => {
  expect(acceptedAs(found, 'b', [entry], 1000)).toBe(does ? entry : undefined);
});

test('an entry for the bucket goes before one for all', () => {
  const own = { ...known, bucket: 'b', reason: 'own' };
  expect(acceptedAs(found, 'b', [known, own], 0)).toBe(own);
});

test('malware is never accepted', () => {
  expect(acceptedAs({ ...found, kind: 'malware' }, 'b', [known], 0)).toBeUndefined();
});

test('what answers always fits, and nothing fits where nothing answers', () => {
  const few = (...names: string[]) => fc.constantFrom(...names);
  const entry = fc.record(
    {
      fingerprint: few('f', 'g'),
      bucket: few('a', 'b'),
      ruleId: few('r', 's'),
      reason: few('x', 'y'),
      expiresAt: fc.integer({ min: 0, max: 4 }),
    },
    { requiredKeys: ['fingerprint', 'reason'] },
  );
  fc.assert(
    fc.property(fc.array(entry), few('a', 'b'), fc.integer({ min: 0, max: 4 }), (entries, bucket, now) => {
      const fits = (one: Accepted) =>
        one.fingerprint === 'f' &&
        [undefined, bucket].includes(one.bucket) &&
        [undefined, 'r'].includes(one.ruleId) &&
        (one.expiresAt ?? Infinity) > now;
      const answer = acceptedAs(found, bucket, entries, now);
      expect(answer === undefined ? entries.some(fits) : !fits(answer)).toBe(false);
    }),
  );
});
