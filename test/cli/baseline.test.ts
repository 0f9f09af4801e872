import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { Clock } from '../../src/clock.js';
import { BaselineController } from '../../src/verdicts/baseline/baseline.controller.js';
import { Baseline } from '../../src/verdicts/baseline/baseline.service.js';
import { headOf, httpApp } from '../intake/http-app.js';
import { intakeParts } from '../intake/intake-parts.js';
import { sayTo } from './say-to.js';

const parts = await intakeParts();
const { server } = await httpApp(
  parts,
  { head: () => Promise.resolve(headOf()) },
  {
    controllers: [BaselineController],
    providers: [
      { provide: Baseline, useValue: new Baseline(parts.database, parts.clock) },
      { provide: Clock, useValue: parts.clock },
    ],
  },
);
const folder = mkdtempSync(join(tmpdir(), 'sallyport-baseline-'));
beforeEach(() => parts.test.truncate());
afterAll(() => rmSync(folder, { recursive: true }));

const print = (n: number): string => `hmac-sha256:fingerprint-1a:${n.toString(16).padStart(64, '0')}`;

const say = sayTo(server, 'baseline');
const file = (name: string, content: unknown): string => {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
};

describe('the baseline on the command line', () => {
  test('takes a fingerprint, lists it and takes it out again', async () => {
    const longest = print(1).replace('-1a', '-d16811866809');
    const added = ['--reason', 'revoked', '--bucket', 's3://uploads', '--expires', '2027-01-01T00:00:00Z'];
    expect((await say('add', longest, ...added, '--rule', 'github-pat')).text).toMatch(/^1 added/);
    const { text } = await say('list');
    expect(text.split('\n')[1]?.split(/ {2,}/)).toEqual([
      longest,
      'uploads',
      'github-pat',
      '2027-01-01T00:00:00.000Z',
      'user:alice',
      'revoked',
    ]);
    const removed = await say('remove', longest, '--bucket', 'uploads');
    expect(removed.code).toBe(0);
    expect(removed.text).toMatch(
      /^1 removed\. .* until they are scanned again: sallyport rescan s3:\/\/uploads /,
    );
    expect((await say('list', '--json')).text).toContain('"items": []');
  });

  test('imports an export in parts, and a second time changes nothing', async () => {
    const items = Array.from({ length: 1500 }, (_, n) => ({ fingerprint: print(n), ruleId: 'r' }));
    const path = file('export.json', { items });
    expect((await say('import', path, '--reason', 'known')).text).toMatch(/^1500 added/);
    expect((await say('import', path, '--reason', 'known')).text).toMatch(
      /^0 added, 0 changed, 1500 there already/,
    );
  });

  test("says that gitleaks' own fingerprints cannot be mapped", async () => {
    const own = { RuleID: 'r', Fingerprint: 'c0ffee:a.ts:r:1' };
    await expect(say('import', file('own.json', [own]), '--reason', 'x')).rejects.toThrow(
      /commit, file and line and not the secret, so that they cannot be mapped/,
    );
    const some = await say(
      'import',
      file('some.json', [own, { ...own, Fingerprint: print(1) }]),
      '--reason',
      'x',
    );
    expect([some.code, some.notes]).toEqual([1, expect.stringMatching(/^1 finding\(s\).*cannot be mapped/)]);
  });

  test('says what is wrong in the words of the command', async () => {
    await expect(say('add', 'abc', '--reason', 'x')).rejects.toThrow(/<FINGERPRINT>: must be a fingerprint/);
    const late = ['--reason', 'x', '--expires', '2020-01-01T00:00:00Z'];
    await expect(say('add', print(1), ...late)).rejects.toThrow(/--expires: is over already/);
    await expect(say('add', print(1))).rejects.toThrow(/--reason <TEXT>/);
  });
});
