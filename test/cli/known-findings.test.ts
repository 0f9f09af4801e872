import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CommandError } from '../../src/cli/command-error.js';
import { knownFindingsIn } from '../../src/cli/known-findings.js';

const print = (n: number): string => `hmac-sha256:fingerprint-1a:${n.toString(16).padStart(64, '0')}`;
const read = (document: unknown) => knownFindingsIn(JSON.stringify(document));

test('our own export is read, each fingerprint once', () => {
  const items = [
    { fingerprint: print(1), ruleId: 'a', excerpt: '…' },
    { fingerprint: print(2), ruleId: 'b' },
    { fingerprint: print(1), ruleId: 'a' },
    { fingerprint: 'sha256:abc', ruleId: 'x' },
    { fingerprint: 'signature:Eicar', ruleId: 'Eicar', kind: 'malware' },
  ];
  expect(read({ items })).toEqual({
    format: 'sallyport',
    known: [
      { fingerprint: print(1), ruleId: 'a' },
      { fingerprint: print(2), ruleId: 'b' },
    ],
    unusable: 1,
  });
});

test('SARIF of ours is read, that of others is told as unusable', () => {
  const result = (partialFingerprints: object) => ({ ruleId: 'r', partialFingerprints });
  const runs = [
    { results: [result({ 'sallyport/v1': print(1) }), result({ 'other/v1': print(2) })] },
    { results: [{ ruleId: 'x' }, { ruleId: 'Eicar', properties: { kind: 'malware' } }] },
    {},
  ];
  expect(read({ version: '2.1.0', runs })).toEqual({
    format: 'sarif',
    known: [{ fingerprint: print(1), ruleId: 'r' }],
    unusable: 2,
  });
});

test("of gitleaks' report only what carries our fingerprints is taken", () => {
  const report = [
    { RuleID: 'github-pat', Secret: 'x', Fingerprint: 'c0ffee:src/a.ts:github-pat:12' },
    { RuleID: 'github-pat', Secret: 'x', Fingerprint: print(3) },
  ];
  expect(read(report)).toEqual({
    format: 'gitleaks',
    known: [{ fingerprint: print(3), ruleId: 'github-pat' }],
    unusable: 1,
  });
});

test('a file that is no JSON is refused without a word of what is in it', () => {
  const text = '[{"Secret": "hunter2hunter2", "Fing';
  expect(() => knownFindingsIn(text)).toThrow(CommandError);
  expect(() => knownFindingsIn(text)).not.toThrow(/hunter2/);
});

test('whatever JSON comes, it is read or refused, and nothing but fingerprints of ours comes out', () => {
  const shaped = fc.oneof(
    fc.array(fc.record({ Fingerprint: fc.oneof(fc.string(), fc.constant(print(1))) }, { requiredKeys: [] })),
    fc.record({ items: fc.array(fc.anything()) }),
    fc.record({ runs: fc.array(fc.record({ results: fc.anything() })) }),
    fc.anything(),
  );
  fc.assert(
    fc.property(shaped, (document) => {
      try {
        for (const { fingerprint } of knownFindingsIn(JSON.stringify(document) ?? '').known)
          expect(fingerprint).toMatch(/^hmac-sha256:/);
      } catch (error) {
        expect(error).toBeInstanceOf(CommandError);
      }
    }),
  );
});
