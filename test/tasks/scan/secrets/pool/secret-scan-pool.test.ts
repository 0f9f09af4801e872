import { rmSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { Unavailable } from '../../../../../src/errors.js';
import { RuleError } from '../../../../../src/tasks/scan/secrets/errors.js';
import { openSecretScanner } from '../../../../../src/tasks/scan/secrets/open-secret-scanner.js';
import { SecretScanPool } from '../../../../../src/tasks/scan/secrets/pool/secret-scan-pool.js';
import type { SecretScanPoolOptions } from '../../../../../src/tasks/scan/secrets/pool/secret-scan-pool.js';
import { builtInRules } from '../../../../../src/tasks/scan/secrets/rules/built-in.js';
import { compileWorker } from '../support/compiled-worker.js';
import { fingerprintKey, ruleIds, scan } from '../support/scan.js';
import { awsKeyId, githubToken } from '../support/tokens.js';

const { directory, entry } = compileWorker();
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const pools: SecretScanPool[] = [];

// Each of the first two takes longer than anybody lives once its keyword is followed by fifty letters.
const runaways = `
[[rules]]
id = "runaway"
regex = '''boom(?:a|aa)+!'''
keywords = ["boom"]
[[rules]]
id = "runaway-2"
regex = '''bang(?:a|aa)+!'''
keywords = ["bang"]
[[rules]]
id = "acme"
regex = '''acme_[0-9]{8}'''
keywords = ["acme_"]
`;

function pool(more: Partial<SecretScanPoolOptions> = {}): SecretScanPool {
  const sources = [{ name: 'user.toml', toml: runaways }];
  const made = new SecretScanPool({
    sources,
    fingerprintKey,
    fingerprintKeyId: 'k1',
    entry,
    deadlineMs: 200,
    ...more,
  });
  pools.push(made);
  return made;
}

afterEach(async () => {
  await Promise.all(pools.splice(0).map((one) => one.close()));
});

const filler = Buffer.from('lorem ipsum dolor sit amet\n'.repeat(8_000));

describe('scanning in workers', () => {
  test('finds what scanning in the calling thread finds', async () => {
    const text = `${filler.toString()}${awsKeyId()}\n${filler.toString()}x=${githubToken()}\n`;
    const open = pool({ sources: builtInRules(), workers: 2 }).open({ path: 'config/app.txt' });
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += 50_000) await open.write(bytes.subarray(at, at + 50_000));
    expect(await open.end()).toEqual(await scan(text));
  });

  test('scans of several objects on one worker do not mix', async () => {
    const one = pool();
    const scans = Array.from({ length: 5 }, (_, i) => ({
      i,
      open: one.open({ path: `${i}`, memberPath: `m${i}` }),
    }));
    for (const { i, open } of scans) await open.write(Buffer.from(`acme_0000000${i}\n`.repeat(i)));
    const results = await Promise.all(scans.map(({ open }) => open.end()));
    expect(results.map(({ findings }) => findings.length)).toEqual([0, 1, 2, 3, 4]);
    expect(results[3]!.findings[0]!.location.memberPath).toBe('m3');
  });

  test('the caller may use its buffer again as soon as a write has returned', async () => {
    const open = pool().open({ path: 'a' });
    const buffer = Buffer.from('acme_12345678\n');
    await open.write(buffer);
    buffer.fill(0);
    expect(ruleIds(await open.end())).toEqual(['acme']);
  });

  test('a writer that is too fast is made to wait', async () => {
    const open = pool().open({ path: 'a' });
    let waits = 0;
    for (let i = 0; i < 20; i++) {
      const room = open.write(filler);
      if (room !== undefined) waits++;
      await room;
    }
    expect(waits).toBeGreaterThan(0);
    expect((await open.end()).bytesScanned).toBe(20 * filler.length);
  });
});

describe('a pattern that runs away', () => {
  test('is given up for the object, which is said, and all else is found on both sides of it', async () => {
    const open = pool().open({ path: 'a' });
    for (let i = 0; i < 8; i++) await open.write(filler);
    await open.write(Buffer.from(`acme_00000001\nboom${'a'.repeat(60)}\nacme_00000002\n`));
    for (let i = 0; i < 8; i++) await open.write(filler);
    await open.write(Buffer.from('acme_00000003\n'));
    const result = await open.end();
    expect(ruleIds(result)).toEqual(['acme', 'acme', 'acme']);
    expect(result.notCovered).toEqual([
      { reason: 'rule_deadline', ruleId: 'runaway', disabledForObject: true },
    ]);
    const written =
      16 * filler.length + `acme_00000001\nboom${'a'.repeat(60)}\nacme_00000002\nacme_00000003\n`.length;
    expect(result.bytesScanned).toBe(written);
  });

  test('two of them in one object are both named', async () => {
    const open = pool().open({ path: 'a' });
    await open.write(Buffer.from(`boom${'a'.repeat(60)} bang${'a'.repeat(60)} acme_12345678`));
    const result = await open.end();
    expect(ruleIds(result)).toEqual(['acme']);
    expect(result.notCovered.map(({ ruleId }) => ruleId)).toEqual(['runaway', 'runaway-2']);
  });

  test('does not harm the scan of another object on the same worker', async () => {
    const one = pool();
    const victim = one.open({ path: 'a' });
    await victim.write(Buffer.from('acme_12345678\n'));
    const culprit = one.open({ path: 'b' });
    await culprit.write(Buffer.from(`boom${'a'.repeat(60)}`));
    await victim.write(Buffer.from(`boom\nacme_87654321\n`));
    const [first, second] = await Promise.all([victim.end(), culprit.end()]);
    expect(ruleIds(first)).toEqual(['acme', 'acme']);
    expect(first.notCovered).toEqual([]);
    expect(second.notCovered.map(({ ruleId }) => ruleId)).toEqual(['runaway']);
  });

  test('is tried again on the next object', async () => {
    const one = pool();
    const bad = one.open({ path: 'a' });
    await bad.write(Buffer.from(`boom${'a'.repeat(60)}`));
    await bad.end();
    const good = one.open({ path: 'b' });
    await good.write(Buffer.from('boomaaa!'));
    expect(ruleIds(await good.end())).toEqual(['runaway']);
  });
});

describe('when scanning cannot go on', () => {
  test('closing the pool fails open scans with a reason', async () => {
    const one = pool();
    const open = one.open({ path: 'a' });
    const ended = open.end();
    await one.close();
    await expect(ended).rejects.toThrow(Unavailable);
    expect(() => one.open({ path: 'b' })).toThrow(/closed/);
  });

  test('an aborted scan fails its writer and frees its place', async () => {
    const open = pool().open({ path: 'a' });
    await open.write(filler);
    open.abort();
    open.abort();
    await expect(open.write(filler)).rejects.toThrow(/given up/);
  });

  test('a worker that cannot start fails the scan, and does not spin', async () => {
    const open = pool({ entry: new URL('data:text/javascript,throw new Error("no such luck")') }).open({
      path: 'a',
    });
    await expect(open.end()).rejects.toThrow(/worker does not run: no such luck/);
  });

  test('rules that cannot be used are refused before any worker starts', () => {
    expect(() => pool({ sources: [{ name: 'user.toml', toml: 'rules = 1' }] })).toThrow(RuleError);
  });
});

test('the scanner of the service has the built-in rules and the ones of the user', async () => {
  const toml = runaways;
  const scanner = openSecretScanner({
    fingerprintKey,
    fingerprintKeyId: 'k1',
    userRules: { name: 'mine.toml', toml },
  });
  const open = scanner.open({ path: 'a' });
  await open.write(Buffer.from(`${awsKeyId()} acme_12345678`));
  expect(ruleIds(await open.end())).toEqual(['aws-access-token', 'acme']);
  await scanner.close();
});
