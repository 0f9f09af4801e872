import { rmSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { openText } from '../../../../src/access/sealing.js';
import { SecretScanPool } from '../../../../src/tasks/scan/secrets/pool/secret-scan-pool.js';
import { builtInRules } from '../../../../src/tasks/scan/secrets/rules/built-in.js';
import { loadRules } from '../../../../src/tasks/scan/secrets/rules/load.js';
import { createSecretScanner } from '../../../../src/tasks/scan/secrets/secret-scanner.js';
import type { SecretScanner } from '../../../../src/tasks/scan/secrets/finding.js';
import { compileWorker } from '../secrets/support/compiled-worker.js';
import { fingerprintKey, onlyFinding, scanWith } from '../secrets/support/scan.js';
import { awsKeyId, githubToken } from '../secrets/support/tokens.js';

const { directory, entry } = compileWorker();
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const sealingKey = { id: 'verification', key: Buffer.alloc(32, 3) };
const options = { fingerprintKey, fingerprintKeyId: 'k1' };
const sources = builtInRules();

async function scanned(scanner: SecretScanner, text: string) {
  const open = scanner.open({ path: 'a.txt' });
  // Beyond a checkpoint of the pool's.
  await open.write(Buffer.from(`${text}\n${'lorem ipsum\n'.repeat(200_000)}`));
  const result = await open.end();
  await scanner.close();
  return result;
}

describe('a found secret', () => {
  test.each([
    ['in this thread', () => createSecretScanner(loadRules(sources), { ...options, sealingKey })],
    ['in a worker', () => new SecretScanPool({ ...options, sources, entry, sealingKey })],
  ])('comes out sealed for the verifier, scanned %s', async (_, scanner) => {
    const token = githubToken();
    const result = await scanned(scanner(), `T=${token}`);
    const { sealedSecret = '', fingerprint } = onlyFinding(result);
    expect(openText({ named: () => sealingKey }, sealedSecret, fingerprint)).toBe(token);
    expect(() => openText({ named: () => sealingKey }, sealedSecret, 'another')).toThrow(
      /cannot be decrypted/,
    );
    expect(JSON.stringify(result)).not.toContain(token);
  });

  test('stays where it is without a key, and where nobody can be asked', async () => {
    const without = createSecretScanner(loadRules(sources), options);
    expect(onlyFinding(await scanned(without, githubToken()))).not.toHaveProperty('sealedSecret');
    const other = createSecretScanner(loadRules(sources), { ...options, sealingKey });
    expect(onlyFinding(await scanned(other, awsKeyId()))).not.toHaveProperty('sealedSecret');
  });

  test('that does not fit into a header is not handed on', async () => {
    const rule = (pattern: string) =>
      `[[rules]]\nid = "a"\nregex = '''${pattern}'''\nverify = { url = "https://a.example/", headers = { x-key = "{secret}" }, active = [200], inactive = [401] }`;
    const plain = onlyFinding(await scanWith(rule('acme_[a-z ]+!'), 'acme_abc!', { sealingKey }));
    expect(plain.sealedSecret).toBeDefined();
    const spaced = onlyFinding(await scanWith(rule('acme_[a-z ]+!'), 'acme_a b!', { sealingKey }));
    expect(spaced.sealedSecret).toBeUndefined();
  });
});

describe('the way to ask in a rule file', () => {
  const rule = (verify: string) =>
    loadRules([{ name: 'u.toml', toml: `[[rules]]\nid = "a"\nregex = "acme"\nverify = { ${verify} }` }])
      .rules[0];
  const rest = 'active = [200], inactive = [401]';

  test('may put the secret into path, query and headers', () => {
    const verify = `url = "https://a.example/k/{secret}?k={secret}", headers = { x-key = "{secret}" }, ${rest}`;
    expect(rule(verify)?.verify).toMatchObject({ method: 'GET', active: [200] });
  });

  test.each([
    ['plain http', `url = "http://a.example/", ${rest}`],
    ['the secret as host', `url = "https://{secret}/", ${rest}`],
    ['the secret in the host', `url = "https://a.{secret}.example/", ${rest}`],
    ['the secret as port', `url = "https://a.example:{secret}/", ${rest}`],
    ['a host without a path', `url = "https://a.example{secret}", ${rest}`],
    ['credentials', `url = "https://me:{secret}@a.example/", ${rest}`],
    ['a method that changes things', `method = "DELETE", url = "https://a.example/", ${rest}`],
    ['no word of what is inactive', `url = "https://a.example/", active = [200]`],
    ['an unknown key', `url = "https://a.example/", ${rest}, follow = true`],
  ])('is refused with %s', (_, verify) => {
    expect(() => rule(verify)).toThrow(/u\.toml: rule "a", verify/);
  });
});
