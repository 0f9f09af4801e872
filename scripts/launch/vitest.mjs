import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { root } from './place.mjs';

/**
 * Runs Vitest in the foreground and resolves with its exit code and its own count of tests.
 *
 * The count comes from its JSON report, not from what it prints.
 */
export async function runVitest(args, environment) {
  const place = mkdtempSync(join(tmpdir(), 'sallyport-report-'));
  const report = join(place, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const child = spawn(
    process.execPath,
    [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...reporters, ...args],
    {
      cwd: root,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  // Ctrl-C reaches Vitest by itself; we stay to count and to remove the report.
  const ignore = () => undefined;
  process.on('SIGINT', ignore);
  const stop = () => child.kill('SIGTERM');
  process.on('SIGTERM', stop);
  const code = await new Promise((resolve) => child.once('close', (status) => resolve(status ?? 1)));
  process.removeListener('SIGINT', ignore);
  process.removeListener('SIGTERM', stop);
  const { unfinished, failures, ...counts } = count(report);
  // Once more at the end, where whoever reads the last lines of a long log finds them.
  for (const { file, test } of failures) console.log(`Failed: ${relative(root, file)} > ${test}`);
  for (const { file, tests } of unfinished) {
    console.log(`Ended before its end, with its process: ${relative(root, file)}`);
    for (const test of tests) console.log(`  without a result: ${test}`);
  }
  rmSync(place, { recursive: true, force: true });
  // A failure outside of any test (a file that does not load, an error nobody caught) must not count as none.
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  return { code, ...counts };
}

/**
 * Tests by outcome; a file that could not even be loaded counts as one that failed, and so does one whose process ended
 * before its tests did. Those are named, since Vitest does not say whose process it was.
 */
export function count(report) {
  let found;
  try {
    found = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    return { passed: 0, failed: 0, skipped: 0, unfinished: [], failures: [] }; // Vitest ended before it wrote one; its exit code says the rest.
  }
  const unloaded = found.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((one) => one.status === 'failed'),
  );
  // Skipped ones are `skipped`; `pending` are those that never came to an end.
  const unfinished = found.testResults
    .map(({ name, assertionResults }) => ({
      file: name,
      tests: assertionResults.filter(({ status }) => status === 'pending').map(({ fullName }) => fullName),
    }))
    .filter(({ tests }) => tests.length > 0);
  return {
    passed: found.numPassedTests,
    failed: found.numFailedTests + unloaded.length + unfinished.length,
    skipped: found.numPendingTests + found.numTodoTests,
    unfinished,
    failures: [
      ...found.testResults.flatMap(({ name, assertionResults }) =>
        assertionResults
          .filter(({ status }) => status === 'failed')
          .map(({ fullName }) => ({ file: name, test: fullName })),
      ),
      ...unloaded.map(({ name }) => ({ file: name, test: 'could not be loaded' })),
    ],
  };
}

/** The closing line that people and machines read. */
export const closingLine = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
