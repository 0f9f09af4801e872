import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isInstalled } from '../../scripts/launch/install.mjs';
import { objectionTo } from '../../scripts/launch/node-version.mjs';
import { hashOf, isFresh, markFresh, markStale } from '../../scripts/launch/outputs.mjs';
import { closingLine, count } from '../../scripts/launch/vitest.mjs';

function place(files: Record<string, unknown> = {}): string {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport scripts '));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) write(join(directory, name), content);
  return directory;
}

function write(path: string, content: unknown): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
}

describe('the version of Node', () => {
  test.each(['v20.19.0', 'v20.20.2', 'v22.12.0', 'v23.1.0', 'v24.0.0', 'v26.3.1'])(
    '%s is good',
    (version) => {
      expect(objectionTo(version)).toBeUndefined();
    },
  );

  test.each(['v14.21.3', 'v18.20.8', 'v20.18.3', 'v21.7.3', 'v22.11.0'])(
    '%s is refused by name',
    (version) => {
      expect(objectionTo(version)).toMatch(
        new RegExp(`^Node 20\\.19 or newer is needed .* this is ${version}, .*nodejs\\.org`),
      );
    },
  );
});

describe('node_modules is as the lock file wants it', () => {
  const other = process.platform === 'linux' ? 'darwin' : 'linux';
  const wanted = {
    '': { name: 'x' },
    web: { name: '@x/web' },
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/tool': { version: '2.0.0', integrity: 'sha512-t', dev: true },
    'node_modules/here': { version: '1.0.0', integrity: 'sha512-h', optional: true, os: [process.platform] },
    'node_modules/elsewhere': { version: '1.0.0', integrity: 'sha512-e', optional: true, os: [other] },
    'node_modules/of-elsewhere': { version: '1.0.0', integrity: 'sha512-o', optional: true },
  };
  const { 'node_modules/elsewhere': _one, 'node_modules/of-elsewhere': _two, ...found } = wanted;

  const installed = (packages: object): string =>
    place({ 'package-lock.json': { packages: wanted }, 'node_modules/.package-lock.json': { packages } });

  test('when it has every package, but for those of other platforms', () => {
    expect(isInstalled(installed(found))).toBe(true);
  });

  test('not when it is missing or was broken off', () => {
    expect(isInstalled(place({ 'package-lock.json': { packages: wanted } }))).toBe(false);
  });

  test.each(['node_modules/a', 'node_modules/here', 'node_modules/tool'])('not without %s', (missing) => {
    const rest = Object.fromEntries(Object.entries(found).filter(([path]) => path !== missing));
    expect(isInstalled(installed(rest))).toBe(false);
  });

  test('not with another version of a package', () => {
    expect(
      isInstalled(installed({ ...found, 'node_modules/a': { version: '1.0.1', integrity: 'sha512-b' } })),
    ).toBe(false);
  });

  test('for running alone also without what is for building', () => {
    const { 'node_modules/tool': _tool, ...rest } = found;
    expect(isInstalled(installed(rest), { withoutDev: true })).toBe(true);
  });
});

describe('the build', () => {
  const target = { inputs: ['src', 'settings.json'], stamp: 'out/.stamp', proof: 'out/main.js' };
  const built = (): string => {
    const directory = place({
      'src/main.ts': 'one',
      'src/deep/rules.toml': 'two',
      'settings.json': {},
      'out/main.js': '1',
    });
    markFresh(target, hashOf(target, directory), directory);
    return directory;
  };

  test('is fresh after it was made, also when only times changed', () => {
    const directory = built();
    write(join(directory, 'src/main.ts'), 'one');
    expect(isFresh(target, directory)).toBe(true);
  });

  test.each([
    ['a source changed', (at: string) => write(join(at, 'src/main.ts'), 'changed')],
    ['a file that is no code changed', (at: string) => write(join(at, 'src/deep/rules.toml'), 'changed')],
    ['a source was added', (at: string) => write(join(at, 'src/new.ts'), '')],
    ['a source was removed', (at: string) => rmSync(join(at, 'src/deep/rules.toml'))],
    ['a setting changed', (at: string) => write(join(at, 'settings.json'), { strict: true })],
    ['the output is gone', (at: string) => rmSync(join(at, 'out/main.js'))],
    ['a build began and did not end', (at: string) => markStale(target, at)],
  ])('is stale when %s', (_what, change) => {
    const directory = built();
    change(directory);
    expect(isFresh(target, directory)).toBe(false);
  });
});

describe('the closing line of the tests', () => {
  const report = (parts: object): string =>
    join(
      place({
        'report.json': {
          numPassedTests: 0,
          numFailedTests: 0,
          numPendingTests: 0,
          numTodoTests: 0,
          testResults: [],
          ...parts,
        },
      }),
      'report.json',
    );

  test('adds up what the report says', () => {
    const counts = count(
      report({ numPassedTests: 41, numFailedTests: 2, numPendingTests: 1, numTodoTests: 1 }),
    );
    expect(closingLine(counts)).toBe('41 passed, 2 failed, 2 skipped');
    expect(closingLine({ ...counts, skipped: 0 })).toBe('41 passed, 2 failed');
  });

  test('counts a file that could not be loaded as one failure', () => {
    const testResults = [
      { name: 'torn.test.ts', status: 'failed', assertionResults: [] },
      { name: 'whole.test.ts', status: 'passed', assertionResults: [{ status: 'passed' }] },
    ];
    expect(count(report({ numPassedTests: 1, testResults }))).toMatchObject({
      passed: 1,
      failed: 1,
      skipped: 0,
      failures: [{ file: 'torn.test.ts', test: 'could not be loaded' }],
    });
  });

  test('names each test that failed', () => {
    const testResults = [
      {
        name: 'door.test.ts',
        status: 'failed',
        assertionResults: [
          { fullName: 'a door opens', status: 'failed' },
          { fullName: 'a door closes', status: 'passed' },
        ],
      },
    ];
    expect(count(report({ numFailedTests: 1, testResults })).failures).toEqual([
      { file: 'door.test.ts', test: 'a door opens' },
    ]);
  });

  test('names a file whose process ended before its tests did, and counts it as one failure', () => {
    const testResults = [
      { name: 'whole.test.ts', status: 'passed', assertionResults: [{ fullName: 'a', status: 'skipped' }] },
      {
        name: 'torn.test.ts',
        status: 'passed',
        assertionResults: [
          { fullName: 'b', status: 'passed' },
          { fullName: 'c', status: 'pending' },
        ],
      },
    ];
    expect(count(report({ numPassedTests: 1, testResults }))).toMatchObject({
      failed: 1,
      unfinished: [{ file: 'torn.test.ts', tests: ['c'] }],
    });
  });

  test('of a run without a report is nothing passed', () => {
    expect(count(join(place(), 'none.json'))).toMatchObject({ passed: 0, failed: 0, skipped: 0 });
  });
});

test("a proof asked for --help tells its options and doesn't run", () => {
  const run = spawnSync(process.execPath, ['scripts/prove.mjs', 'fuzz', '--help'], { encoding: 'utf8' });
  expect(run).toMatchObject({ status: 0, stderr: '' });
  expect(run.stdout).toMatch(/--size small\|full[^]*--seed N[^]*--minutes N[^]*--only NAME/);
});
