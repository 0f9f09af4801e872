import fc from 'fast-check';
import { expect, test } from 'vitest';
import { acceptedAs, type Accepted } from '../../../src/verdicts/baseline/accepted.js';

const found = { kind: 'secret', fingerprint: 'f', ruleId: 'r', path: 'in.zip!a' } as const;
const at = { endpointId: 's3', bucket: 'b', key: 'dir/k', sha256: 'aa' };
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
  expect(acceptedAs(found, at, [entry], 1000)).toBe(does ? entry : undefined);
});

test('an entry for the bucket goes before one for all', () => {
  const own = { ...known, bucket: 'b', reason: 'own' };
  expect(acceptedAs(found, at, [known, own], 0)).toBe(own);
});

const place = { endpointId: 's3', bucket: 'b', key: 'dir/k', path: 'in.zip!a' };
const malware = { kind: 'malware', fingerprint: 'signature:X', ruleId: 'X' } as const;

test.each<[string, Partial<Accepted>, boolean]>([
  ['the same secret at the same place', { fingerprint: 'f', only: place }, true],
  ['the same bytes under another name', { only: { ...place, bucket: 'c', key: 'copy', sha256: 'aa' } }, true],
  ['not another object', { only: { ...place, key: 'other', sha256: 'bb' } }, false],
  ['not another member', { only: { ...place, path: 'in.zip!b', sha256: 'aa' } }, false],
  ['not another secret at its place', { fingerprint: 'g', only: place }, false],
  ['all that a rule finds under a prefix', { fingerprint: undefined, ruleId: 'r', keyPrefix: 'dir/' }, true],
  ['nothing under another prefix', { fingerprint: undefined, ruleId: 'r', keyPrefix: 'docs/' }, false],
  ['nothing when it names nothing', { fingerprint: undefined }, false],
])('an exception answers for %s', (_, entry, does) => {
  const exception = { ...known, ...entry };
  expect(acceptedAs(found, at, [exception], 1000)).toBe(does ? exception : undefined);
});

test('what is accepted of malware is these bytes, not whatever else has its name', () => {
  const entry: Accepted = { ...malware, reason: 'a test file', only: { ...place, sha256: 'aa' } };
  const here = { ...malware, path: place.path };
  expect(acceptedAs(here, at, [entry], 0)).toBe(entry);
  expect(acceptedAs(here, { ...at, sha256: 'bb' }, [entry], 0)).toBeUndefined();
  expect(acceptedAs(here, { ...at, sha256: undefined }, [{ ...entry, only: place }], 0)).toBeUndefined();
});

test('an entry for this very finding goes before all others', () => {
  const nearest = { ...known, only: place };
  expect(acceptedAs(found, at, [{ ...known, bucket: 'b' }, nearest], 0)).toBe(nearest);
});

test('the baseline knows secrets only', () => {
  expect(acceptedAs({ ...found, kind: 'malware' }, at, [known], 0)).toBeUndefined();
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
      const answer = acceptedAs(found, { ...at, bucket }, entries, now);
      expect(answer === undefined ? entries.some(fits) : !fits(answer)).toBe(false);
    }),
  );
});
