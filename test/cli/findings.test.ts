import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Controller, Get } from '@nestjs/common';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { knownFindingsIn } from '../../src/cli/known-findings.js';
import { SarifPages } from '../../src/cli/sarif-pages.js';
import { FindingsController } from '../../src/verdicts/export/findings.controller.js';
import { headOf, httpApp } from '../intake/http-app.js';
import { awsMessage, intakeParts } from '../intake/intake-parts.js';
import { SarifShape } from '../verdicts/export/sarif-shape.js';
import { sayTo } from './say-to.js';

const parts = await intakeParts();

/** Knows one bucket that nothing was uploaded to yet. */
@Controller('api/v1/buckets')
class RegisteredBuckets {
  @Get()
  list() {
    return { items: [{ endpointId: 'e', bucket: 'empty' }] };
  }
}
const { server } = await httpApp(
  parts,
  { head: () => Promise.resolve(headOf()) },
  { controllers: [FindingsController, RegisteredBuckets] },
);
const folder = mkdtempSync(join(tmpdir(), 'sallyport-findings-'));
afterAll(() => rmSync(folder, { recursive: true }));

const print = (n: number): string => `hmac-sha256:fingerprint-1a:${n.toString(16).padStart(64, '0')}`;

const say = sayTo(server, 'findings');

beforeEach(async () => {
  await parts.test.truncate();
  for (const key of ['dir/a.env', 'b\u001b[2J.env']) {
    parts.clock.advance(1000);
    await parts.intake.accept(awsMessage({ key, versionId: 'v', eTag: 'e' }), { kind: 'webhook' });
    const [scan] = await parts.test.query<{ id: string }>(
      'SELECT id FROM scan ORDER BY requested_at DESC LIMIT 1',
    );
    const scanId = scan?.id ?? '';
    const findings = Array.from({ length: 3 }, (_, n) => ({
      kind: 'secret' as const,
      ruleId: `rule-${n}`,
      title: 'A token',
      severity: 'high' as const,
      confidence: 'high' as const,
      path: '',
      line: n + 1,
      fingerprint: print(n),
      ...(n === 0 && { accepted: 'known' }),
    }));
    await parts.ledger.recordFindings(scanId, 'secrets', findings, 3);
    await parts.ledger.recordVerdict(scanId, {
      verdict: 'secrets',
      reason: 'secrets_found',
      engines: [],
      bytesScanned: 1,
      bytesTotal: 1,
      notCovered: [],
      workflowId: 'w',
    });
  }
});

describe('findings on the command line', () => {
  test('are a table for people, with names made visible', async () => {
    const { text } = await say();
    expect(text.split('\n')).toHaveLength(7);
    expect(text).toContain(String.raw`s3://uploads/b\u{1b}[2J.env`);
    expect(text).toMatch(/rule-0 +accepted +s3:\/\/uploads\/dir\/a\.env +1/);
  });

  test('are SARIF in a new file of their owner, and never over another', async () => {
    const file = join(folder, 'a.sarif');
    const { text, code } = await say('s3://uploads/dir/', '--format', 'sarif', '--output', file);
    expect([code, text]).toEqual([0, `${file}: 3 findings`]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const [sarif] = SarifShape.parse(JSON.parse(readFileSync(file, 'utf8'))).runs;
    expect(sarif.results.map(({ ruleId }) => ruleId)).toEqual(['rule-0', 'rule-1', 'rule-2']);
    await expect(say('--format', 'sarif', '--output', file)).rejects.toThrow(/--output: EEXIST/);
  });

  test('are what the baseline imports, in either format', async () => {
    for (const format of ['json', 'sarif']) {
      const { text } = await say('--format', format);
      expect(knownFindingsIn(text).known.map(({ fingerprint }) => fingerprint)).toEqual([0, 1, 2].map(print));
    }
  });

  test('say of a bucket that nobody knows that there is none, in every format', async () => {
    for (const format of [[], ['--format', 'json'], ['--format', 'sarif']])
      await expect(say('s3://nosuchbucket/', ...format)).rejects.toThrow(
        'No bucket nosuchbucket is registered',
      );
    expect((await say('s3://empty')).code).toBe(0);
    expect((await say('s3://uploads/nothing/')).code).toBe(0);
  });

  test('refuse a place that is none', async () => {
    await expect(say('uploads/x')).rejects.toThrow(/names no object or bucket/);
    await expect(say('--from', 'yesterday')).rejects.toThrow(/--from: must be an ISO 8601 time/);
  });
});

test('pages of SARIF become one run, each rule once and each result at its own', () => {
  const page = (nextCursor: string | undefined, ...rules: string[]) => ({
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'Sallyport', version: '1', rules: rules.map((id) => ({ id })) } },
        results: rules.map((ruleId, ruleIndex) => ({ ruleId, ruleIndex })),
        properties: { ...(nextCursor !== undefined && { nextCursor }) },
      },
    ] as const,
  });
  const pages = new SarifPages();
  pages.add(page('c', 'a', 'b'));
  pages.add(page(undefined, 'c', 'b'));
  const [whole] = pages.whole(undefined).runs;
  expect(whole.tool.driver).toMatchObject({
    name: 'Sallyport',
    rules: [{ id: 'a' }, { id: 'b' }, { id: 'c' }],
  });
  expect(whole.results.map(({ ruleId, ruleIndex }) => [ruleId, ruleIndex])).toEqual([
    ['a', 0],
    ['b', 1],
    ['c', 2],
    ['b', 1],
  ]);
  expect(whole.properties).toEqual({});
  expect(pages.whole('d').runs[0].properties).toEqual({ nextCursor: 'd' });
});
