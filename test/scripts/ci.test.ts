import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';

/** Runs .ci/run with an npm whose every command does what the script given for it says; the rest succeeds silently. */
function ci(npm: Record<string, string>): { code: number | null; lines: string[] } {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-ci-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(join(directory, '.ci'));
  mkdirSync(join(directory, 'bin'));
  copyFileSync(fileURLToPath(new URL('../../.ci/run', import.meta.url)), join(directory, '.ci/run'));
  const program = (name: string, body: string): void => {
    writeFileSync(join(directory, 'bin', name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(directory, 'bin', name), 0o755);
  };
  // All there already, so that nothing is installed on the machine of the test.
  for (const name of ['chromium', 'clamd', 'pgbouncer', 'openssl', 'python3', 'apt-get'])
    program(name, 'exit 0');
  program('go', 'echo go version go1.26.8 linux/amd64');
  const cases = Object.entries(npm).map(([command, body]) => `*" ${command} "*) ${body} ;;`);
  program('npm', `case " $* " in\n${cases.join('\n')}\n*) exit 0 ;;\nesac`);
  const run = spawnSync('bash', ['.ci/run'], {
    cwd: directory,
    encoding: 'utf8',
    env: { PATH: `${join(directory, 'bin')}:/usr/bin:/bin` },
    timeout: 15_000,
  });
  return { code: run.status, lines: run.stdout.trim().split('\n') };
}

describe('.ci/run', () => {
  test('adds up tests, interop tests, lint and types in its last line', () => {
    const { code, lines } = ci({
      test: 'echo "40 passed, 0 failed"',
      'test:interop': 'echo "2 passed, 0 failed, 1 skipped"',
    });
    expect(lines.at(-1)).toBe('44 passed, 0 failed, 1 skipped');
    expect(code).toBe(0);
  });

  test('goes on after a failure, and fails', () => {
    const { code, lines } = ci({
      test: 'echo "40 passed, 2 failed"; exit 1',
      lint: 'echo "3 errors"; exit 1',
    });
    expect(lines.at(-1)).toBe('41 passed, 3 failed');
    expect(code).toBe(1);
  });

  test('names once more, before its last line, what failed', () => {
    const failed = 'Failed: test/a.test.ts > a door > opens';
    const { lines } = ci({ test: `echo "${failed}"; echo "40 passed, 1 failed"; exit 1`, lint: 'echo fine' });
    expect(lines.slice(-2)).toEqual([failed, '42 passed, 1 failed']);
  });

  test('counts tests that ended without a count as a failure', () => {
    const { code, lines } = ci({ test: 'exit 134', 'test:interop': 'echo "0 passed, 0 failed"' });
    expect(lines.at(-1)).toBe('2 passed, 1 failed');
    expect(code).toBe(1);
  });

  test('stops when the packages cannot be installed', () => {
    const { code, lines } = ci({ ci: 'exit 1', test: 'echo "40 passed, 0 failed"' });
    expect(lines.at(-1)).toBe('0 passed, 1 failed');
    expect(code).toBe(1);
  });
});
