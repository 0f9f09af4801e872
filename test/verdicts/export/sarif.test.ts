import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FindingView } from '../../../src/verdicts/export/finding-view.js';
import { objectUri, sarifOf } from '../../../src/verdicts/export/sarif.js';
import { SarifShape } from './sarif-shape.js';

const ID = '00000000-0000-4000-8000-000000000001';

const finding = (parts: Partial<FindingView> = {}): FindingView => ({
  id: '1',
  objectId: ID,
  endpointId: 'embedded',
  bucket: 'uploads',
  key: 'a b/c.env',
  versionId: null,
  verdict: 'secrets',
  scanId: ID,
  judgedAt: null,
  kind: 'secret',
  ruleId: 'github-pat',
  title: 'GitHub token',
  severity: 'critical',
  confidence: 'high',
  path: '',
  line: 3,
  column: 7,
  byteOffset: 40,
  excerpt: 'T=ghp_…(40 characters)',
  fingerprint: `hmac-sha256:k1:${'a'.repeat(64)}`,
  source: '',
  remediation: 'https://docs.github.com/revoke me',
  accepted: false,
  acceptedReason: null,
  exceptionId: null,
  verified: null,
  verifiedAt: null,
  ...parts,
});
const log = (...items: FindingView[]) => SarifShape.parse(sarifOf({ items }, '1.0.0')).runs[0];

test('a finding is told with its rule, place, level and fingerprint', () => {
  const { tool, results } = log(finding());
  expect(tool.driver.rules).toMatchObject([
    {
      id: 'github-pat',
      helpUri: 'https://docs.github.com/revoke%20me',
      defaultConfiguration: { level: 'error' },
    },
  ]);
  expect(results[0]).toMatchObject({
    ruleId: 'github-pat',
    level: 'error',
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: 's3://uploads/a%20b/c.env' },
          region: {
            startLine: 3,
            startColumn: 7,
            byteOffset: 40,
            snippet: { text: 'T=ghp_…(40 characters)' },
          },
        },
      },
    ],
    partialFingerprints: { 'sallyport/v1': `hmac-sha256:k1:${'a'.repeat(64)}` },
    properties: { confidence: 'high', key: 'a b/c.env' },
  });
  expect(results[0]).not.toHaveProperty('suppressions');
});

test('a member of an archive is named, and is an artifact of its own', () => {
  const [result] = log(finding({ key: 'x/a.zip', path: 'a.zip!in/b #1.txt' })).results;
  expect(result?.locations[0]).toMatchObject({
    physicalLocation: { artifactLocation: { uri: 's3://uploads/x/a.zip#a.zip!in%2Fb%20%231.txt' } },
    logicalLocations: [{ name: 'in/b #1.txt', fullyQualifiedName: 'a.zip!in/b #1.txt', kind: 'member' }],
  });
});

test('what the baseline answers for is suppressed, with the reason', () => {
  const [result] = log(finding({ accepted: true, acceptedReason: 'revoked in May' })).results;
  expect(result?.suppressions).toEqual([
    { kind: 'external', status: 'accepted', justification: 'revoked in May' },
  ]);
});

test('malware has no region, and a level by its severity', () => {
  const malware = finding({
    kind: 'malware',
    line: null,
    column: null,
    byteOffset: null,
    severity: 'medium',
  });
  const [result] = log({ ...malware, remediation: null, ruleId: 'Eicar' }).results;
  expect(result?.level).toBe('warning');
  expect(result?.locations[0]?.physicalLocation).not.toHaveProperty('region');
});

test('a title or a name makes no link and no placeholder of a message', () => {
  const [result] = log(finding({ title: '[click](https://evil.example) {0}\u202e', path: 'a]{1}' })).results;
  expect(result?.message.text).toBe(String.raw`\[click\](https://evil.example) {{0}}\\u{{202e}} in a\]{{1}}`);
});

test('rules are listed once, and each result points at its own', () => {
  const { tool, results } = log(finding(), finding({ ruleId: 'b' }), finding());
  expect(tool.driver.rules.map(({ id }) => id)).toEqual(['github-pat', 'b']);
  expect(results.map(({ ruleIndex }) => ruleIndex)).toEqual([0, 1, 0]);
});

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc
    .array(fc.constantFrom('..', '.', '', 'a', '%2e', '?', '#', '%', ' ', '\\', '\u0000', '😀', ':', '@'))
    .map((parts) => parts.join('/')),
);

describe('the URI of an object', () => {
  test('decodes to the key that it names, whatever it is, also after normalisation', () => {
    fc.assert(
      fc.property(hostile, hostile, (key, member) => {
        fc.pre(key.isWellFormed() && member.isWellFormed() && key !== '.' && key !== '..');
        const url = new URL(objectUri('up-loads.1', key, member));
        expect(url.host).toBe('up-loads.1');
        expect(decodeURIComponent(url.pathname.slice(1))).toBe(key);
        expect(decodeURIComponent(url.hash.slice(1))).toBe(member);
        expect(url.search).toBe('');
      }),
      { numRuns: 1000 },
    );
  });
});

test('whatever a finding holds, the log fits the schema', () => {
  const text = hostile;
  const view = fc.record({
    key: text,
    bucket: text,
    path: text,
    title: text,
    ruleId: text.filter((id) => id !== ''),
    excerpt: fc.option(text),
    remediation: fc.option(fc.oneof(text, fc.webUrl(), fc.constant('https://a b'))),
    severity: fc.constantFrom('critical', 'high', 'medium', 'low', 'odd'),
    line: fc.option(fc.integer({ min: -1, max: 9 })),
    column: fc.option(fc.integer({ min: -1, max: 9 })),
    byteOffset: fc.option(fc.integer({ min: -1, max: 9 })),
    accepted: fc.boolean(),
    acceptedReason: fc.option(text),
    exceptionId: fc.constant(null),
  });
  fc.assert(
    fc.property(fc.array(view), (views) => {
      const written = sarifOf({ items: views.map((one) => finding(one)), nextCursor: 'c' }, '1.0.0');
      SarifShape.parse(JSON.parse(JSON.stringify(written)));
    }),
  );
});
