import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SecretFinding, SecretScanner } from '../../../src/tasks/scan/secrets/finding.js';
import { SecretsLook } from '../../../src/tasks/scan/secrets-look.js';

const AT = { endpointId: 's3', bucket: 'b', key: 'key' };

const looked = { bytes: 1, sha256: '', members: 0, notCovered: [], unlocked: new Set<string>() };

const found = (fingerprint: string, confidence: SecretFinding['confidence']): SecretFinding => ({
  ruleId: 'r',
  provider: 'p',
  description: 'd',
  severity: 'high',
  confidence,
  location: { line: 1, column: 1, byteOffset: 0, byteLength: 1 },
  maskedExcerpt: '…',
  fingerprint,
  remediation: '',
});

/** A scanner that finds `findings` in each object, and counts `more` that it does not list. */
const scannerOf = (findings: readonly SecretFinding[], more: number): SecretScanner => ({
  rulesCount: 1,
  rulesDigest: '',
  rulesNotes: [],
  close: () => Promise.resolve(),
  open: () => ({
    write: () => undefined,
    abort: () => undefined,
    end: () => {
      const count = (level: string) => findings.filter(({ confidence }) => confidence === level).length;
      return Promise.resolve({
        findings,
        counts: { high: count('high') + more, medium: count('medium'), low: count('low') },
        truncated: more > 0,
        markedAllowed: 0,
        bytesScanned: 1,
        lines: 1,
        rulesCount: 1,
        rulesDigest: '',
        engine: { name: 'sallyport-secrets', version: '1', ruleCount: 1, digest: '' },
        notCovered: [],
      });
    },
  }),
});

async function lookAt(findings: readonly SecretFinding[], more: number, members = 0): Promise<SecretsLook> {
  const look = new SecretsLook(scannerOf(findings, more), 'key');
  await look.object().end();
  for (let n = 0; n < members; n += 1)
    await look.open({ path: `m${n}`, name: `m${n}`, within: 'zip', depth: 1, container: undefined }).end();
  return look;
}
const countsOf = (look: SecretsLook) => look.report(looked, 1).counts;

test('what is accepted counts as little as a guess, and the sum stays', async () => {
  const look = await lookAt([found('a', 'high'), found('b', 'high'), found('a', 'low')], 0);
  look.accept([{ fingerprint: 'a', reason: 'known' }], AT, 0);
  expect(countsOf(look)).toMatchObject({ secrets: 1, lowConfidence: 2 });
  expect(look.findings.map(({ accepted }) => accepted)).toEqual(['known', undefined, 'known']);
});

test('what is found and not listed always counts, though all that is listed is accepted', async () => {
  const look = await lookAt([found('a', 'high')], 1);
  look.accept([{ fingerprint: 'a', reason: 'known' }], AT, 0);
  expect(countsOf(look)).toMatchObject({ secrets: 1, lowConfidence: 1 });
});

test('with more than is kept, only what is kept is taken off', async () => {
  const many = Array.from({ length: 600 }, () => found('a', 'high'));
  const look = await lookAt(many, 0, 2);
  look.accept([{ fingerprint: 'a', reason: 'known' }], AT, 0);
  expect(look.findings).toHaveLength(1000);
  expect(countsOf(look)).toMatchObject({ secrets: 200, lowConfidence: 1000 });
});

test('what is in use counts, though it was a guess; what is not counts as before', async () => {
  const look = await lookAt([found('a', 'medium'), found('b', 'high'), found('c', 'medium')], 0);
  const at = 5;
  look.verified(
    new Map([
      ['a', { state: 'active' as const, at }],
      ['b', { state: 'inactive' as const, at }],
      ['c', { state: 'unknown' as const, at }],
    ]),
  );
  expect(countsOf(look)).toMatchObject({ secrets: 2, lowConfidence: 1 });
  expect(look.findings).toMatchObject([
    { severity: 'critical', confidence: 'high', verified: { state: 'active', at } },
    { severity: 'high', confidence: 'high', verified: { state: 'inactive' } },
    { severity: 'high', confidence: 'medium', verified: { state: 'unknown' } },
  ]);
});

test('nobody is asked about what somebody answers for', async () => {
  const sealed = (name: string) => ({ ...found(name, 'high'), sealedSecret: `sealed ${name}` });
  const look = await lookAt([sealed('a'), sealed('b'), sealed('a'), found('c', 'high')], 0);
  look.accept([{ fingerprint: 'a', reason: 'known' }], AT, 0);
  expect(look.verifiable()).toEqual([{ fingerprint: 'b', ruleId: 'r', sealed: 'sealed b' }]);
});

test('never counts fewer than those that nobody accepted', async () => {
  const name = fc.constantFrom('a', 'b', 'c');
  const one = fc.tuple(name, fc.constantFrom('high' as const, 'medium' as const, 'low' as const));
  await fc.assert(
    fc.asyncProperty(fc.array(one), fc.nat(3), fc.uniqueArray(name), async (all, more, known) => {
      const look = await lookAt(
        all.map(([fingerprint, confidence]) => found(fingerprint, confidence)),
        more,
      );
      look.accept(
        known.map((fingerprint) => ({ fingerprint, reason: 'known' })),
        AT,
        0,
      );
      const open = all.filter(([print, level]) => level === 'high' && !known.some((k) => k === print)).length;
      const { secrets, lowConfidence } = countsOf(look);
      expect([secrets, secrets + lowConfidence]).toEqual([open + more, all.length + more]);
    }),
  );
});

test('what is stored in a container as it is counts once, where it is deepest inside, in whichever order it is seen', async () => {
  for (const paths of [
    ['', 'a!b.zip', 'a!b.zip!c', 'a!d'],
    ['a!d', 'a!b.zip!c', 'a!b.zip', ''],
  ]) {
    const look = new SecretsLook(scannerOf([found('a', 'high'), found('b', 'low')], 0), 'key');
    for (const path of paths) {
      if (path === '') await look.object().end();
      else await look.open({ path, name: path, within: 'zip', depth: 1, container: undefined }).end();
    }
    const places = look.findings.map(({ path, fingerprint }) => `${path} ${fingerprint}`);
    expect(places.toSorted()).toEqual(['a!b.zip!c a', 'a!b.zip!c b', 'a!d a', 'a!d b']);
    expect(countsOf(look)).toMatchObject({ secrets: 2, lowConfidence: 2 });
  }
});
