import fc from 'fast-check';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { Database } from '../../../src/database/database.js';
import { StoredBytes } from '../../../src/tasks/object/stored-bytes.js';
import { ContextReader } from '../../../src/tasks/scan/context/context-reader.js';
import { shownLines } from '../../../src/tasks/scan/context/shown-lines.js';
import { withoutUnknownSecrets } from '../../../src/tasks/scan/context/unknown-secrets.js';
import { createSecretScanner } from '../../../src/tasks/scan/secrets/secret-scanner.js';
import type { Finding } from '../../../src/verdicts/ledger.js';
import { startTestS3, type TestS3 } from '../../s3/endpoint.js';
import { zip } from '../../support/archives.js';
import { testDatabase } from '../../support/database.js';
import { Stage } from '../stage.js';
import { builtIn, fingerprintKey } from './secrets/support/scan.js';
import { alphabets, awsKeyId, githubToken, privateKey, randomText } from './secrets/support/tokens.js';

const signal = new AbortController().signal;

describe('the lines around a finding', () => {
  let s3: TestS3;
  let db: Database;
  let stage: Stage;
  let contexts: ContextReader;
  let bytes: StoredBytes;
  beforeAll(async () => {
    s3 = await startTestS3();
    db = new Database((await testDatabase()).url);
    stage = new Stage(s3, db, { ACTION_MODE: 'quarantine', QUARANTINE_BUCKET: 'quarantine' });
    bytes = new StoredBytes(stage.ledger, stage.quarantine, s3.storage);
    contexts = new ContextReader(
      bytes,
      s3.reads,
      s3.spool,
      { archivePasswords: () => [] },
      stage.secrets,
      pino({ level: 'silent' }),
    );
  });
  afterAll(async () => {
    await stage.close();
    await db.close();
    await s3.close();
  });

  const scan = async (key: string, body: Buffer | string) => {
    const { scanId, object, pinned } = await stage.upload(key, body);
    const output = await stage.output('scan_secrets', { scanId, object });
    const { sha256 } = output['report'] as unknown as { sha256: string };
    const findings: readonly Finding[] = stage.ledger.findings.get(`${scanId}:secrets`)?.findings ?? [];
    return { scanId, sha256, findings, pinned };
  };
  const around = (scanned: Awaited<ReturnType<typeof scan>>) => contexts.around(scanned, signal);
  const textOf = ({ items }: Awaited<ReturnType<typeof around>>): string =>
    items.flatMap(({ lines }) => lines.map(({ text }) => text)).join('\n');

  it('are shown with their numbers, every secret in them masked and not only the one found', async () => {
    const [one, two] = [githubToken(1), awsKeyId(2)];
    const answer = await around(
      await scan(
        'app/.env',
        `# settings\nHOST=example.org\nKEY=${two}\nTOKEN=${one}\nDB_PASSWORD=hunter2!\nDEBUG=1\n`,
      ),
    );
    expect(answer).toMatchObject({ state: 'shown', readFrom: 'bucket' });
    const text = textOf(answer);
    for (const secret of [one, two, 'hunter2']) expect(text).not.toContain(secret);
    const item = answer.items.find(({ lines }) => lines.some((line) => line.isFinding && line.number === 4));
    expect(item?.lines.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(item?.lines[1]).toEqual({ number: 2, text: 'HOST=example.org', isFinding: false });
    expect(item?.lines[5]?.text).toBe('DEBUG=1');
    expect(item?.lines[3]?.text).toMatch(/^TOKEN=ghp_…\(40 characters\)$/);
  });

  it('show nothing of a private key that begins far above and ends far below', async () => {
    const key = privateKey('RSA ', 5_000);
    const token = githubToken(3);
    const body = `${'x\n'.repeat(40)}${key}\nTOKEN=${token}\nlast line\n`;
    const text = textOf(await around(await scan('key.pem', body)));
    const inside = key.split('\n').slice(1, -1);
    for (const line of inside) expect(text).not.toContain(line);
    expect(text).not.toContain(token);
    expect(text).toContain('last line');
  });

  it('are found inside archives, and in a copy that lies in quarantine', async () => {
    const token = githubToken(4);
    const archive = zip([{ name: 'a/.env', content: Buffer.from(`A=1\nTOKEN=${token}\nB=2\n`) }]);
    const scanned = await scan('deep/box.zip', archive);
    const moved = await stage.output('quarantine_object', { scanId: scanned.scanId, verdict: 'secrets' });
    expect(moved['moved']).toBe(true);
    const answer = await around(scanned);
    expect(answer).toMatchObject({ state: 'shown', readFrom: 'quarantine' });
    expect(answer.items[0]).toMatchObject({ path: 'box.zip!a/.env', why: null });
    expect(textOf(answer)).toMatch(/^A=1\nTOKEN=ghp_…\(40 characters\)\nB=2$/);
  });

  it('show hostile bytes and hidden characters as what they are, and long lines cut around the finding', async () => {
    const token = githubToken(5);
    const hostile = Buffer.concat([
      Buffer.from('a\u202eb\u0007<script>\n'),
      Buffer.from([0x61, 0xff, 0xfe, 0x0a]),
      Buffer.from(`${'pad '.repeat(400)}TOKEN=${token} ${'end '.repeat(400)}\n`),
    ]);
    const [item] = (await around(await scan('x.txt', hostile))).items;
    expect(item?.lines[0]?.text).toBe('a\\u{202e}b\\u{7}<script>');
    expect(item?.lines[1]?.text).toBe('a\\xff\\xfe');
    const line = item?.lines.find(({ isFinding }) => isFinding)?.text ?? '';
    expect(line).toContain('ghp_…(40 characters)');
    expect(Array.from(line).length).toBeLessThan(300);
  });

  it('are read of UTF-16 text too', async () => {
    const token = githubToken(6);
    const text = `\ufefffirst\r\nTOKEN=${token}\r\nlast\r\n`;
    const answer = await around(await scan('wide.txt', Buffer.from(text, 'utf16le')));
    const [item] = answer.items;
    expect(item?.lines.map((line) => line.text)).toEqual([
      '\\u{feff}first',
      'TOKEN=ghp_…(40 characters)',
      'last',
    ]);
  });

  it('are not shown of an object that is gone, replaced or other than was scanned, and it is said', async () => {
    const scanned = await scan('gone.txt', `TOKEN=${githubToken(7)}\n`);
    expect(await contexts.around({ ...scanned, sha256: '0'.repeat(64) }, signal)).toMatchObject({
      state: 'changed',
      items: [],
    });
    await s3.storage.deleteVersion(scanned.pinned);
    expect(await around(scanned)).toMatchObject({ state: 'gone', items: [] });
    const moved = await scan('deleted.txt', `TOKEN=${githubToken(8)}\n`);
    await stage.output('quarantine_object', { scanId: moved.scanId, verdict: 'secrets' });
    await stage.output('delete_object', { scanId: moved.scanId, verdict: 'secrets' });
    expect(await around(moved)).toMatchObject({ state: 'gone', detail: expect.stringContaining('deleted') });
  });

  it('say of findings without a place that there is none', async () => {
    const scanned = await scan('plain.txt', 'nothing');
    expect(await around(scanned)).toMatchObject({ state: 'none' });
  });

  it('are not read of objects that are too large for a page to wait for', async () => {
    const scanned = await scan('big.txt', `TOKEN=${githubToken(9)}\n`);
    const known = await stage.ledger.scan(scanned.scanId);
    if (known.facts === undefined) throw new Error('not inspected');
    stage.ledger.scans.set(scanned.scanId, {
      ...known,
      facts: { ...known.facts, sizeBytes: 65 * 1024 ** 2 },
    });
    expect(await around(scanned)).toMatchObject({ state: 'too_large' });
  });
});

test('no line ever shows a secret, wherever it stands and whatever stands beside it', async () => {
  const scanner = createSecretScanner(builtIn, { fingerprintKey, fingerprintKeyId: 'k1' });
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom('\n', '\r\n', '=', 'KEY=', '"', ' ', '\u202e'),
    fc.nat(500).map((seed) => githubToken(seed)),
    fc.nat(500).map((seed) => awsKeyId(seed)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 25 }), fc.nat(500), async (pieces, seed) => {
      const content = Buffer.from([...pieces, '\nT=', githubToken(seed), '\n'].join('').toWellFormed());
      const scan = scanner.open({ path: 'x' });
      await scan.write(content);
      const { findings } = await scan.end();
      for (const { location } of findings) {
        const at = location.byteOffset;
        const [from, to] = [Math.max(0, at - 60), at + 90];
        const lines = shownLines(
          { bytes: content.subarray(from, to), from, at, line: location.line, isCutOff: to < content.length },
          findings,
        );
        const text = lines.map((line) => line.text).join('\n');
        for (const other of findings) {
          const { byteOffset, byteLength } = other.location;
          const secret = content.toString('utf8', byteOffset, byteOffset + byteLength);
          expect(text).not.toContain(secret);
          expect(text).not.toContain(secret.slice(8));
        }
        expect(text).not.toMatch(/[\p{Cf}\p{Co}]/u);
        for (const line of lines) expect(Array.from(line.text).length).toBeLessThanOrEqual(320);
      }
    }),
    { numRuns: 60 },
  );
});

test.each([
  ['password = "s3cr3t-thing"', 's3cr3t'],
  ['Authorization: Bearer abcdef123456', 'abcdef123456'],
  ['postgres://app:letmein@db/app', 'letmein'],
  ['postgres://app:let@mein@db/app', 'mein'],
  ['postgres://app:let/mein@db/app', 'mein'],
  ['password = "correct horse battery"', 'battery'],
  ["secret='let;me,in'", 'in'],
  ['password="let\\"mein"', 'mein'],
  ['password: let,me;in', 'in'],
  ['<password>letmein</password>', 'letmein'],
  ['machine db login app password letmein', 'letmein'],
  ['backup --password letmein', 'letmein'],
  ['Authorization: Basic YTpi', 'YTpi'],
  [`x ${randomText(alphabets.alnum, 40)} y`, randomText(alphabets.alnum, 40)],
])('in %s what no rule knows is masked as well', (line, secret) => {
  const shown = withoutUnknownSecrets(line);
  expect(shown).not.toContain(secret);
  expect(shown).toMatch(/…\(\d+ characters\)/);
});

test.each([
  'HOST=example.org',
  '  return a + b;',
  'import { x } from "./some/long/path/to/a/module.js";',
  'v1.22.333',
])('plain text such as %s stays as it is', (line) => expect(withoutUnknownSecrets(line)).toBe(line));
