import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encoded, encodings } from '../support/encodings.js';
import { onlyFinding, ruleIds, scan, scanInPieces } from '../support/scan.js';
import { alphabets, awsKeyId, githubToken, privateKey, randomText } from '../support/tokens.js';

const names = Object.keys(encodings);
const BLOCK = 64 * 1024;
const token = githubToken(21);
const around = (bytes: Uint8Array, before = 'first line\nsecond: ', after = '\nlast line\n'): Buffer =>
  Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]);

describe.each(names)('a secret in %s', (name) => {
  test('is found, at its place, once', async () => {
    const written = encoded(`TOKEN=${token} `, name);
    const content = around(written);
    const finding = onlyFinding(await scan(content));
    const { ruleId, fingerprint, location, confidence } = finding;
    expect({ ruleId, fingerprint, confidence }).toEqual({
      ruleId: 'github-pat',
      fingerprint: onlyFinding(await scan(token)).fingerprint,
      confidence: 'high',
    });
    const from = 'first line\nsecond: '.length;
    expect(location.byteOffset).toBeGreaterThanOrEqual(from + 6);
    expect(location.byteOffset + location.byteLength).toBeLessThanOrEqual(from + written.length);
    expect(finding.maskedExcerpt).not.toContain(token.slice(4, 12));
  });

  test('is found at the border of two blocks', async () => {
    const written = encoded(`\n${token}\n`, name);
    const steps = Math.max(3, Math.floor(written.length / 20));
    for (let at = BLOCK - written.length - 2; at <= BLOCK + 2; at += steps) {
      const content = around(written, `${'x'.repeat(at - 1)}\n`, `\n${'y z '.repeat(30_000)}`);
      expect(ruleIds(await scan(content)), `at ${at}`).toEqual(['github-pat']);
    }
  });

  test('is found inside base64, and base64 inside it', async () => {
    const text = `key = "${token}"\n`;
    expect(ruleIds(await scan(around(encoded(text, name, 'base64'))))).toEqual(['github-pat']);
    expect(ruleIds(await scan(around(encoded(text, 'base64', name))))).toEqual(['github-pat']);
  });
});

describe('what is encoded', () => {
  test('is found five levels deep, and not six', async () => {
    const five = ['percent-encoding', 'hex', 'HTML entities', 'base64', 'JavaScript escapes'];
    const finding = onlyFinding(await scan(around(encoded(`x ${token} `, ...five))));
    expect(finding.encodings).toEqual(['escape', 'base64', 'html', 'hex', 'percent']);
    expect(ruleIds(await scan(around(encoded(`x ${token} `, ...five, 'hex'))))).toEqual([]);
  });

  test('may be a value whose name stands beside it in clear', async () => {
    const value = randomText(alphabets.hex, 32, 31);
    const inClear = ruleIds(await scan(`datadog_api_key = "${value}"\n`));
    expect(inClear).toHaveLength(1);
    for (const name of ['base64', 'hex', 'percent-encoding', 'quoted-printable'])
      expect(ruleIds(await scan(around(encoded(value, name), 'datadog_api_key = "', '"\n'))), name).toEqual(
        inClear,
      );
  });

  test('may be a whole private key', async () => {
    const key = privateKey('RSA ', 1_600, 33);
    for (const name of ['base64', 'base64 in lines', 'hex', 'percent-encoding', 'JavaScript escapes'])
      expect(ruleIds(await scan(around(encoded(key, name)))), name).toEqual(['private-key']);
  });

  test('begins behind a prefix that looks like a part of it', async () => {
    expect(ruleIds(await scan(`auth/Basic_${encoded(`key: ${token}`, 'hex').toString('base64')}`))).toEqual([
      'github-pat',
    ]);
  });

  test('is found behind what is itself written otherwise', async () => {
    const hex = encoded(`say ${token} yes`, 'hex').toString();
    for (const before of ['{"d":"first line\\n', '{"d":"a\\t', 'x=%20', `x=%20${'a-'.repeat(300)}%20`])
      expect(ruleIds(await scan(`${before}${encoded(hex, 'base64').toString()}"`)), before).toEqual([
        'github-pat',
      ]);
    const long = `${'say '.repeat(75)}${hex}`;
    expect(ruleIds(await scan(`x=%20${encoded(long, 'base64').toString()}&`))).toEqual(['github-pat']);
  });

  test('may be text of another character set, with a control character, or of letters beyond ASCII', async () => {
    const hex = encoded(`key ${token} end`, 'hex').toString();
    const latin1 = Buffer.from(`caf\xe9 au lait token ${hex} yes`, 'latin1').toString('base64');
    const coloured = Buffer.from(`\x1b[0m plain text ${hex}`).toString('base64');
    for (const text of [latin1, coloured]) expect(ruleIds(await scan(text))).toEqual(['github-pat']);
    for (const letter of ['中', 'ж', '😀'])
      for (const pad of [0, 1, 2, 3]) {
        const text = `${'x'.repeat(pad)}${letter.repeat(30_000)}\n key=${hex}\n${letter.repeat(1_000)}`;
        const found = ruleIds(await scan(Buffer.from(text).toString('base64')));
        expect(found, `${letter} behind ${pad}`).toEqual(['github-pat']);
      }
  });

  test('does not depend on what other texts have left in memory', async () => {
    const twice = encoded(`${token} `, 'HTML entities', 'base64').toString();
    const content = `%20${twice}%20%20${twice}%20`;
    const alone = await scan(content);
    for (const other of ['%20abcdefgh_'.repeat(20_000), ' '.repeat(70_000), 'word_'.repeat(30_000)]) {
      await scan(other);
      expect(await scan(content)).toEqual(alone);
    }
  });

  test('is one finding, when it is also written in clear', async () => {
    expect(ruleIds(await scan(`a%20b=${token}%20c`))).toEqual(['github-pat']);
    const both = await scan(around(encoded(`${token} `, 'base64'), `x ${token}\n`));
    expect(ruleIds(both)).toEqual(['github-pat', 'github-pat']);
  });

  test('is no finding for a rule that an allowlist or the entropy takes out', async () => {
    expect(ruleIds(await scan(around(encoded('secret = "placeholder-1-of-example"', 'base64'))))).toEqual([]);
  });

  test('costs no more than a bound, and what was left is told', async () => {
    // Each level holds the next beside what fills a block.
    const filler = 'a quick brown fox jumps over the lazy dog. ';
    const levels = [1, 2, 3, 4].reduce(
      (inner) => encoded(filler.repeat(9_000) + inner, 'base64').toString(),
      '',
    );
    const result = await scan(levels);
    expect(result.bytesScanned).toBe(levels.length);
    const many = 'x%41y\\u0041z&#65;'.repeat(60_000);
    const crowded = await scan(many);
    expect(crowded.notCovered.every(({ reason }) => reason === 'decoding_limit')).toBe(true);
  }, 60_000);
});

describe('how the stream is cut does not matter', () => {
  const part = fc.oneof(
    fc
      .tuple(fc.constantFrom(...names), fc.constantFrom(...names), fc.constantFrom(token, awsKeyId(5)))
      .map(([outer, inner, secret]) => encoded(` ${secret} `, inner, outer)),
    fc.constantFrom(
      ...['\n', ' ', 'token="', '%41', '&amp;', '=\r\n', '\\u00e9'].map((text) => Buffer.from(text)),
    ),
    fc.integer({ min: 1, max: 30_000 }).map((length) => Buffer.from('x y\n'.repeat(length / 4))),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  );
  test('any split finds what the whole finds, at the same places', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 12 }).map((parts) => Buffer.concat(parts)),
        fc.array(fc.constantFrom(1, 7, 4096, BLOCK - 1, BLOCK, BLOCK + 1), { minLength: 1, maxLength: 4 }),
        async (bytes, lengths) => {
          expect(await scanInPieces(bytes, lengths)).toEqual(await scanInPieces(bytes, []));
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);
});
