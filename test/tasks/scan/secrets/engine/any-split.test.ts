import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteScan } from '../../../../../src/tasks/scan/secrets/engine/byte-scan.js';
import type { Checkpoint } from '../../../../../src/tasks/scan/secrets/engine/byte-scan.js';
import { scanSettings } from '../../../../../src/tasks/scan/secrets/secret-scanner.js';
import { builtIn, fingerprintKey, scan, scanInPieces } from '../support/scan.js';
import { alphabets, awsKeyId, githubToken, privateKey, randomText } from '../support/tokens.js';

const BLOCK = 64 * 1024;

const secrets = [
  githubToken(1),
  awsKeyId(2),
  `datadog_api_key = "${randomText(alphabets.hex, 32, 3)}"`,
  `postgres://app:${randomText(alphabets.alnum, 12, 4)}@db.internal/x`,
  `password: '${randomText(alphabets.alnum, 24, 5)}'`,
  `${randomText(alphabets.digits, 9, 6)}:AA${randomText(alphabets.word, 33, 6)}`,
  privateKey('RSA ', 3_000, 7),
  Buffer.from(`TOKEN=${githubToken(9)}\n`).toString('base64'),
  `facebook ${randomText(alphabets.digits, 15, 8)}|${randomText(alphabets.alnum, 27, 8)}`,
];
const filler = fc.oneof(
  fc.constantFrom('\n', ' ', 'key', 'lorem ipsum ', 'const x = 1;\r\n', 'é', 'token="', '-----BEGIN '),
  fc.constantFrom(...secrets),
  fc.integer({ min: 1, max: 40_000 }).map((length) => 'x y\n'.repeat(length / 4)),
);
const content = fc.array(filler, { maxLength: 14 }).map((parts) => Buffer.from(parts.join(' ')));
const pieces = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 50 }), fc.constantFrom(4096, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK)),
  { minLength: 1, maxLength: 6 },
);

describe('how the stream is cut does not matter', () => {
  test('any split finds what the whole finds, at the same places', async () => {
    await fc.assert(
      fc.asyncProperty(content, pieces, async (bytes, lengths) => {
        expect(await scanInPieces(bytes, lengths)).toEqual(await scanInPieces(bytes, []));
      }),
      { numRuns: 60 },
    );
  });

  test('UTF-16 text too, split inside a character', async () => {
    await fc.assert(
      fc.asyncProperty(content, pieces, fc.boolean(), async (bytes, lengths, big) => {
        const encoded = Buffer.from(`\ufeff${bytes.toString()}`, 'utf16le');
        if (big) encoded.swap16();
        expect(await scanInPieces(encoded, lengths)).toEqual(await scanInPieces(encoded, []));
      }),
      { numRuns: 20 },
    );
  });

  test('a scan that goes on elsewhere from a checkpoint ends with the same result', async () => {
    const settings = scanSettings(builtIn, { fingerprintKey, fingerprintKeyId: 'k1', monotonicMs: () => 0 });
    await fc.assert(
      fc.asyncProperty(
        content,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.boolean(),
        async (text, at, wide) => {
          const bytes = wide ? Buffer.from(`\ufeff${text.toString()}`, 'utf16le') : text;
          const first = new ByteScan(settings, { path: 'a' });
          first.write(bytes.subarray(0, Math.floor(at * bytes.length)));
          const checkpoint: Checkpoint = structuredClone(first.checkpoint());
          const second = new ByteScan(settings, { path: 'a' }, checkpoint);
          second.write(bytes.subarray(checkpoint.resumeAt));
          const whole = new ByteScan(settings, { path: 'a' });
          whole.write(bytes);
          expect(await second.end()).toEqual(await whole.end());
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a secret is found wherever it stands', () => {
  test.each(secrets.map((secret) => [secret.slice(0, 8).replace(/[^\w]/g, '.'), secret] as const))(
    'around a block border: %s',
    async (_, secret) => {
      const alone = await scan(`\n${secret}\n`);
      expect(alone.findings).toHaveLength(1);
      const steps = secret.length > 200 ? 97 : 3;
      for (let at = BLOCK - secret.length - 2; at <= BLOCK + 2; at += steps) {
        const result = await scan(`${'x'.repeat(at - 1)}\n${secret}\n${'y z '.repeat(30_000)}`);
        expect(result.findings.map(({ ruleId, fingerprint }) => ({ ruleId, fingerprint }))).toEqual(
          alone.findings.map(({ ruleId, fingerprint }) => ({ ruleId, fingerprint })),
        );
        const shift = at - 1;
        expect(result.findings[0]!.location.byteOffset).toBe(alone.findings[0]!.location.byteOffset + shift);
      }
    },
  );

  test('as the first and as the last bytes of an object', async () => {
    const token = githubToken();
    for (const text of [token, `${token}\nx`, `x\n${token}`])
      expect((await scan(text)).findings).toHaveLength(1);
  });
});

test('an empty object is scanned and holds nothing', async () => {
  expect(await scan('')).toMatchObject({ findings: [], bytesScanned: 0, lines: 0, notCovered: [] });
});

test('an object of a single byte, as a byte-order mark might begin, is scanned', async () => {
  expect(await scan(Buffer.from([0xff]))).toMatchObject({ findings: [], bytesScanned: 1, lines: 1 });
});
