import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { fingerprintKey, onlyFinding, ruleIds, scan, scanWith } from './support/scan.js';
import {
  alphabets,
  awsKeyId,
  checkedToken,
  githubPrefix,
  githubToken,
  privateKey,
  randomText,
} from './support/tokens.js';

describe('where a finding stands', () => {
  test('line and column count from 1, offset and length are bytes of the object', async () => {
    const before = 'first line\r\nä = "';
    const finding = onlyFinding(await scan(`${before}${githubToken()}"\n`));
    expect(finding.location).toEqual({
      line: 2,
      column: 'ä = "'.length + 2,
      byteOffset: Buffer.byteLength(before),
      byteLength: 40,
    });
  });

  test('lines are counted through many blocks', async () => {
    const lines = 40_000;
    const result = await scan(`${'some text\n'.repeat(lines)}x ${githubToken()}`);
    expect(onlyFinding(result).location).toMatchObject({ line: lines + 1, column: 3 });
    expect(result.lines).toBe(lines + 1);
  });

  test.each(['utf16le', 'utf16be'] as const)(
    'in %s text the offset is that of the bytes',
    async (encoding) => {
      const bytes = Buffer.from(`\ufeffschlüssel = ${githubToken()}\n`, 'utf16le');
      const finding = onlyFinding(await scan(encoding === 'utf16be' ? bytes.swap16() : bytes));
      expect(finding.location).toEqual({ line: 1, column: 13, byteOffset: 2 + 2 * 12, byteLength: 80 });
      expect(finding.fingerprint).toBe(onlyFinding(await scan(githubToken())).fingerprint);
    },
  );
});

describe('a found secret stays inside', () => {
  const secrets = [githubToken(), awsKeyId(), privateKey(), randomText(alphabets.alnum, 24, 9)];
  const text = secrets.map((secret) => `token: ${secret}\n`).join('');

  test('no stretch of five characters of it is in the result, beyond what is public in its prefix', async () => {
    const result = await scan(text);
    expect(result.findings.length).toBeGreaterThanOrEqual(secrets.length);
    const json = JSON.stringify(result);
    for (const secret of secrets) {
      const hidden = secret.startsWith('-----') ? secret.slice(40, -40) : secret.slice(4);
      for (let at = 0; at + 5 <= hidden.length; at++) expect(json).not.toContain(hidden.slice(at, at + 5));
    }
  });

  test('an excerpt shows the name, at most four characters of the public prefix, and the length', async () => {
    const finding = onlyFinding(await scan(`export GITHUB_TOKEN="${githubToken()}" # mine`));
    expect(finding.maskedExcerpt).toBe(`GITHUB_TOKEN="${githubPrefix}…(40 characters)`);
  });

  test('a secret without a public prefix shows none of its characters', async () => {
    const finding = onlyFinding(await scan(`datadog_api_key=${randomText(alphabets.hex, 32, 4)}`));
    expect(finding.maskedExcerpt).toBe('datadog_api_key=…(32 characters)');
  });

  test('of a URL the scheme and the user are shown, the password is not', async () => {
    const finding = onlyFinding(await scan(`url: postgres://app:${randomText(alphabets.alnum, 9, 4)}@db/x`));
    expect(finding.maskedExcerpt).toBe('postgres://app:…(9 characters)');
  });

  test('what else stands on the line is not shown: it may be a secret that no rule knows', async () => {
    const finding = onlyFinding(await scan(`login hunter2 then ${githubToken()}`));
    expect(finding.maskedExcerpt).toBe(`${githubPrefix}…(40 characters)`);
  });

  test('a neighbour that looks like a name is not shown as one', async () => {
    const toml = ['one', 'two']
      .map((id) => `[[rules]]\nid = "${id}"\nregex = '''${id}_[a-z0-9]{20}'''\nkeywords = ["${id}_"]\n`)
      .join('');
    const [first, second] = ['one', 'two'].map((id, i) => `${id}_${randomText(alphabets.lowerAlnum, 20, i)}`);
    const result = await scanWith(toml, `${first!}=${second!}`);
    expect(ruleIds(result)).toEqual(['one', 'two']);
    expect(result.findings[1]!.maskedExcerpt).toBe('two_…(24 characters)');
  });
});

describe('fingerprints', () => {
  test('name the key and are the same for the same secret under any rule, path or place', async () => {
    const secret = githubToken();
    const here = onlyFinding(await scan(`a ${secret}`)).fingerprint;
    const there = onlyFinding(await scan(`\n\nb=${secret};`, 'other.txt')).fingerprint;
    expect(there).toBe(here);
    const digest = createHmac('sha256', fingerprintKey).update(`sallyport secret\0${secret}`).digest('hex');
    expect(here).toBe(`hmac-sha256:k1:${digest}`);
  });

  test('are the same where the secret is encoded, and whatever stands around it', async () => {
    const secret = githubToken();
    const { fingerprint } = onlyFinding(await scan(secret));
    const base64 = Buffer.from(`token=${secret}\n`).toString('base64');
    const hex = Buffer.from(` ${base64} `).toString('hex');
    const escaped = [...Buffer.from(secret)].map((byte) => `%${byte.toString(16)}`).join('');
    for (const text of [`a: ${base64}`, `b: ${hex}`, `c=${escaped}&d`]) {
      expect(onlyFinding(await scan(`${'\n'.repeat(40)}${text}\n`, 'moved/x.txt')).fingerprint).toBe(
        fingerprint,
      );
    }
  });

  test('differ under another key', async () => {
    const toml = `[[rules]]\nid = "a"\nregex = "acme_[0-9]{4}"`;
    const one = onlyFinding(await scanWith(toml, 'acme_1234')).fingerprint;
    const other = onlyFinding(
      await scanWith(toml, 'acme_1234', { fingerprintKey: Buffer.alloc(32, 8) }),
    ).fingerprint;
    expect(other).not.toBe(one);
  });

  test('need a key of at least 16 bytes', async () => {
    await expect(scanWith('', '', { fingerprintKey: Buffer.alloc(15) })).rejects.toThrow(
      /fingerprintKey.*16 bytes/,
    );
  });
});

describe('confidence', () => {
  const confidenceIn = async (text: string) => onlyFinding(await scan(text)).confidence;

  test('a token whose checksum is right is certain, whatever stands around it', async () => {
    expect(await confidenceIn(`# example: ${githubToken()}`)).toBe('high');
  });

  test('a token whose checksum is wrong is doubted and still reported', async () => {
    expect(await confidenceIn(checkedToken(githubPrefix, 1, { valid: false }))).toBe('low');
  });

  test('a documented format without a checksum is certain', async () => {
    expect(await confidenceIn(awsKeyId())).toBe('high');
  });

  test.each([
    ['# dummy\n', ''],
    ['example key: ', ''],
    ['url: https://api.example.org/v1?key=', ''],
    ['placeholder = "', '"'],
  ])('%j before a secret that cannot be mistaken lowers nothing', async (before, after) => {
    const openAi = [
      'sk',
      '-proj-',
      randomText(alphabets.alnum, 74),
      'T3Blbk',
      'FJ',
      randomText(alphabets.alnum, 74),
    ];
    const slack = [
      'xo',
      'xb-',
      randomText(alphabets.digits, 12),
      '-',
      randomText(alphabets.digits, 12, 2),
      '-',
    ];
    for (const secret of [
      awsKeyId(),
      openAi.join(''),
      [...slack, randomText(alphabets.alnum, 24)].join(''),
      privateKey(),
    ])
      expect(await confidenceIn(`${before}${secret}${after}`)).toBe('high');
  });

  test('nor does a word in the header of a private key', async () => {
    const key = privateKey().replace('KEY-----\n', 'KEY-----\nComment: dummy example, not real xxxxxxxx\n\n');
    expect(await confidenceIn(key)).toBe('high');
  });

  test('a private key that is nothing but a placeholder is doubted', async () => {
    const [begin, end] = ['BEGIN', 'END'].map((word) =>
      ['-----', word, ' RSA PRIV', 'ATE KEY-----'].join(''),
    );
    for (const body of ['.'.repeat(80), 'x'.repeat(700), 'example '.repeat(12)])
      expect(await confidenceIn(`${begin}\n${body}\n${end}`)).toBe('low');
  });

  test.each(['example', 'dummy', 'fake', 'placeholder'])(
    'the word %s before a likely secret makes it a possible one on the same line alone',
    async (word) => {
      const password = `password = "${randomText(alphabets.alnum, 24, 3)}"`;
      expect(await confidenceIn(`${word} ${password}`)).toBe('low');
      expect(await confidenceIn(`# ${word}\n${password}`)).toBe('medium');
    },
  );

  test('a value that says it is an example is doubted', async () => {
    const key = ['gs', 'k_', randomText(alphabets.alnum, 45), 'EXAMPLE'].join('');
    expect(await confidenceIn(key)).toBe('low');
  });

  test('a sample key of the documentation of AWS is no finding', async () => {
    expect(ruleIds(await scan(`${awsKeyId().slice(0, 13)}EXAMPLE`))).toEqual([]);
  });

  test('a value that only its name gives away is never certain', async () => {
    expect(await confidenceIn(`password = "${randomText(alphabets.alnum, 24, 3)}"`)).toBe('medium');
  });
});

describe('which findings are kept', () => {
  test('a generic finding yields to a specific one on the same bytes', async () => {
    expect(ruleIds(await scan(`api_token = "${githubToken()}"`))).toEqual(['github-pat']);
  });

  test.each(['gitleaks:allow', 'sallyport:allow'])(
    'a line marked %s is a finding all the same: whoever uploads it wrote the mark',
    async (mark) => {
      const result = await scan(`a=${githubToken(1)} # ${mark}\nb=${githubToken(2)}\n`);
      expect(result.markedAllowed).toBe(1);
      expect(result.counts.high).toBe(2);
    },
  );

  test('findings are bounded, counted on, and decoys do not push a certain one out', async () => {
    const toml = `[[rules]]\nid = "acme"\nregex = "acme_[a-z0-9]{13}"\nkeywords = ["acme_"]`;
    const decoys = Array.from({ length: 50 }, (_, i) => `acme_example${100_000 + i}`).join('\n');
    const result = await scanWith(toml, `${decoys}\n${' '.repeat(80)}acme_q7x2m9k4w1z8b`, {
      maxFindings: 10,
    });
    expect(result).toMatchObject({ truncated: true, counts: { high: 1, medium: 0, low: 50 } });
    expect(result.findings).toHaveLength(10);
    expect(result.findings.map(({ confidence }) => confidence)).toContain('high');
  });
});

describe('what the result says about the scan', () => {
  test('bytes, lines, rules and the digest of the rules', async () => {
    const result = await scan('one\ntwo');
    expect(result).toMatchObject({
      bytesScanned: 7,
      lines: 2,
      markedAllowed: 0,
      truncated: false,
      notCovered: [],
    });
    expect(result.engine).toEqual({
      name: 'sallyport-secrets',
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      ruleCount: result.rulesCount,
      digest: result.rulesDigest,
    });
    expect(result.rulesDigest).toMatch(/^[0-9a-f]{64}$/);
  });

  test('a rule that used up its time is named as not covered, and the others go on', async () => {
    const toml = ['slow', 'quick']
      .map((id) => `[[rules]]\nid = "${id}"\nregex = '${id}_[0-9]{4}\\b'\nkeywords = ["${id}_"]\n`)
      .join('');
    // Every look at the clock costs 10 ms; the first rule is asked three times before the second.
    let now = 0;
    const result = await scanWith(toml, 'slow_1111x slow_2222x slow_3333x slow_4444 quick_1234', {
      monotonicMs: () => (now += 10),
      ruleBudgetMs: 25,
    });
    expect(ruleIds(result)).toEqual(['quick']);
    expect(result.notCovered).toEqual([{ reason: 'rule_deadline', ruleId: 'slow', disabledForObject: true }]);
  });
});
