import { expect, test } from 'vitest';
import { shownName } from '../../../src/tasks/scan/archive/member-name.js';
import { maskedPath, UNSEARCHED, withMaskedPaths } from '../../../src/tasks/scan/masked-paths.js';
import { createSecretScanner } from '../../../src/tasks/scan/secrets/secret-scanner.js';
import type { Finding, ScanReport } from '../../../src/verdicts/ledger.js';
import { builtIn, fingerprintKey } from './secrets/support/scan.js';
import { alphabets, awsKeyId, githubPrefix, githubToken, randomText } from './secrets/support/tokens.js';

const scanner = createSecretScanner(builtIn, { fingerprintKey, fingerprintKeyId: 'k1' });
const masked = (path: string): Promise<string> => maskedPath(scanner, path);

test('a secret in a name is shown as in an excerpt, and the rest of the path stays', async () => {
  expect(await masked(`ä.zip!keys/${githubToken()}.txt`)).toBe(
    `ä.zip!keys/${githubPrefix}…(40 characters).txt`,
  );
});

test('each of several secrets in a path is masked', async () => {
  const path = await masked(`${githubToken(1)}.zip!a/${awsKeyId()}/b!${githubToken(2)}`);
  expect(path).toBe(
    `${githubPrefix}…(40 characters).zip!a/AKIA…(20 characters)/b!${githubPrefix}…(40 characters)`,
  );
});

test('an extension behind a secret does not hide it', async () => {
  const token = ['glpat', randomText(alphabets.alnum, 20)].join('-');
  for (const rest of ['', '.txt', '/b', '!c', '.tar.gz!d', '(1).txt'])
    expect(await masked(`a.zip!${token}${rest}`)).toBe(`a.zip!glpa…(26 characters)${rest}`);
});

test('a likely secret is masked too, whatever the names around it say', async () => {
  const password = randomText(alphabets.alnum, 24, 3);
  const path = await masked(`example dummy.zip!password=${password}!x`);
  expect(path).not.toContain(password.slice(4));
});

test('a path without a secret stays as it is', async () => {
  for (const path of ['a.zip!b/c.txt', 'a!tokens/password.txt', 'a!id_rsa', 'a!key.pem', 'a!b\u2026c'])
    expect(await masked(path)).toBe(path);
});

test('a name that is shortened shows no secret in part', () => {
  const token = githubToken();
  for (let at = 0; at < 260; at += 1) {
    const shown = shownName(`${'ab '.repeat(100).slice(0, at)} ${token} ${'ab '.repeat(100)}`);
    const rest = shown.replaceAll(token, '');
    for (let from = 4; from + 5 <= token.length; from += 1)
      expect(rest).not.toContain(token.slice(from, from + 5));
  }
});

test('a path that cannot be searched to its end is not shown', async () => {
  const late: typeof scanner = {
    ...scanner,
    open: (target) => {
      const scan = scanner.open(target);
      return {
        write: (chunk) => scan.write(chunk),
        abort: () => scan.abort(),
        end: async () => ({ ...(await scan.end()), notCovered: [{ reason: 'rule_deadline' as const }] }),
      };
    },
  };
  expect(await maskedPath(late, `a!${githubToken()}`)).toBe(UNSEARCHED);
});

test('paths of findings and of gaps are masked, and each is searched once', async () => {
  let searched = 0;
  const counting: typeof scanner = {
    ...scanner,
    open: (target) => {
      searched += 1;
      return scanner.open(target);
    },
  };
  const path = `a!${githubToken()}`;
  const found = (at: string) => ({ path: at, ruleId: 'r' }) as Finding;
  const report = { notCovered: [{ path, reason: 'corrupt', detail: 'd' }] } as unknown as ScanReport;
  const recorded = await withMaskedPaths(counting, {
    report,
    findings: [found(path), found(''), found(path)],
  });
  expect(JSON.stringify(recorded)).not.toContain(githubToken().slice(4));
  expect(recorded.findings.map((one) => one.path)).toEqual([
    `a!${githubPrefix}…(40 characters)`,
    '',
    `a!${githubPrefix}…(40 characters)`,
  ]);
  expect(searched).toBe(1);
});
