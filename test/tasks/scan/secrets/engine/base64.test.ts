import { describe, expect, test } from 'vitest';
import { onlyFinding, ruleIds, scan } from '../support/scan.js';
import { awsKeyId, githubPrefix, githubToken, privateKey } from '../support/tokens.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('a secret inside base64 text', () => {
  test.each([0, 1, 2, 3, 4, 5])('is found %i bytes into it', async (shift) => {
    const plain = `${':'.repeat(shift)}${githubToken()}\n`;
    const text = `data:\n  token: ${base64(plain)}\n`;
    const finding = onlyFinding(await scan(text));
    expect(finding).toMatchObject({ ruleId: 'github-pat', confidence: 'high', encodings: ['base64'] });
    expect(finding.fingerprint).toBe(onlyFinding(await scan(githubToken())).fingerprint);
    const { byteOffset, byteLength, line } = finding.location;
    const encoded = text.slice(byteOffset, byteOffset + byteLength);
    expect(line).toBe(2);
    expect(base64(plain)).toContain(encoded);
    expect(byteLength).toBeGreaterThanOrEqual(54);
    expect(byteLength).toBeLessThanOrEqual(56);
  });

  test('is found in a long encoded file, in the URL-safe alphabet too', async () => {
    const env = `${'SETTING=value\n'.repeat(90)}KEY=${awsKeyId()}\n${'MORE=value\n'.repeat(90)}`;
    expect(ruleIds(await scan(base64(env)))).toEqual(['aws-access-token']);
    expect(ruleIds(await scan(Buffer.from(env).toString('base64url')))).toEqual(['aws-access-token']);
  });

  test('may be a whole private key', async () => {
    expect(ruleIds(await scan(`tls.key: ${base64(privateKey('RSA ', 3_200))}`))).toEqual(['private-key']);
  });

  test('is found across the border of two blocks', async () => {
    const encoded = base64(`x=${githubToken()}`);
    for (let at = 65_536 - encoded.length; at <= 65_540; at += 3)
      expect(ruleIds(await scan(`${' '.repeat(at)}${encoded} ${'y '.repeat(60_000)}`))).toEqual([
        'github-pat',
      ]);
  });

  test('shows no more than the public prefix', async () => {
    const finding = onlyFinding(await scan(`token: ${base64(githubToken())}`));
    expect(finding.maskedExcerpt).toBe(`token: ${githubPrefix}…(40 characters)`);
  });

  test('letters in another case are other bytes, and no secret', async () => {
    const encoded = base64(githubToken());
    expect(ruleIds(await scan(`x: ${encoded.slice(0, 8).toLowerCase()}${encoded.slice(8)}`))).not.toContain(
      'github-pat',
    );
  });
});

test('two secrets with a single character between them are both found', async () => {
  expect(ruleIds(await scan(`${awsKeyId(1)} ${awsKeyId(2)},${awsKeyId(3)}`))).toHaveLength(3);
});
