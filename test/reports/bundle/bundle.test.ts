import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chained, genesisOf } from '../../../src/audit/chain/record.js';
import { publicKeyOf, signCheckpoint, signingKeyOf } from '../../../src/audit/chain/checkpoint.js';
import { verifierText } from '../../../src/audit/export/verifier.js';
import { ZipWriter } from '../../../src/reports/bundle/zip-writer.js';
import { writeBundle, type BundleEntry, type BundleFacts } from '../../../src/reports/bundle/bundle.js';
import { verifyProgram } from '../../support/verify-program.js';
import { partsOf } from '../../support/zip-parts.js';

const CHAIN = 'c0ffee00-0000-4000-8000-000000000000';
const signing = signingKeyOf(Buffer.alloc(32, 7));
const publicKey = publicKeyOf(signing);
const signer = {
  keyId: 'audit-1',
  publicKey,
  sign: (bytes: Buffer) => sign(null, bytes, signing).toString('base64'),
};

/** Forty events and a checkpoint, as an extract has them. */
function audit(): { text: string; head: string } {
  const records = Array.from({ length: 40 }, (_, n) => ({
    id: String(n + 1),
    at: String(1_772_438_400_000 + n),
    actor: 'user:alice',
    action: 'review.decided',
    subject: `review:${n}`,
    data: JSON.stringify({ n, note: 'a\u202eb 日本 🔒' }),
  }));
  const genesis = genesisOf(CHAIN);
  const links = chained({ seq: 0, hash: genesis }, records);
  const head = links.at(-1)?.hash.toString('hex') ?? '';
  const said = { chain: CHAIN, seq: 40, head, at: '2026-03-02T08:00:00.000Z', keyId: 'audit-1' };
  const lines = [
    { kind: 'extract', chain: CHAIN, from: 1, before: genesis.toString('hex') },
    ...records.map((record, n) => ({
      kind: 'event',
      ...record,
      hash: links[n]?.hash.toString('hex'),
      seq: n + 1,
    })),
    { kind: 'checkpoint', ...signCheckpoint(said, signing), publicKey },
    { kind: 'end', to: 40, head },
  ];
  return { text: lines.map((line) => `${JSON.stringify(line)}\n`).join(''), head };
}
const { text: AUDIT, head } = audit();
const ROWS = Array.from({ length: 300 }, (_, n) => `${n},bucket/key-${n},clean\r\n`);
const ENTRIES: readonly BundleEntry[] = [
  { name: 'report.json', pieces: () => ['{"schema":"sallyport.report/2"}\n'] },
  { name: 'report.pdf', pieces: () => [randomBytesOf(3000)] },
  { name: 'data/uploads.csv', pieces: () => ROWS },
  { name: 'data/empty.csv', pieces: () => [] },
  { name: 'audit.jsonl', pieces: () => [AUDIT] },
  { name: 'verify.mjs', pieces: () => [verifierText()] },
];
const FACTS: BundleFacts = {
  reportId: '5f0c0b56-0000-4000-8000-000000000001',
  label: '2026-W10',
  period: { from: '2026-03-02T00:00:00.000Z', to: '2026-03-09T00:00:00.000Z', timeZone: 'UTC' },
  generatedAt: '2026-03-09T02:00:00.000Z',
  by: 'system:reports',
  software: '0.1.0',
  chain: { id: CHAIN, from: 1, to: 40, head },
  previous: { reportId: '5f0c0b56-0000-4000-8000-000000000000', sha256: 'ab'.repeat(32) },
};
const noise = randomBytes(3000);
function randomBytesOf(length: number): Buffer {
  return noise.subarray(0, length);
}

async function bundle(entries = ENTRIES, facts = FACTS, by = signer): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeBundle(entries, facts, by)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const base = mkdtempSync(join(tmpdir(), 'sallyport-bundle-'));
const archive = join(base, 'bundle.zip');
let whole: Buffer;
beforeAll(async () => {
  whole = await bundle();
});
afterAll(() => rmSync(base, { recursive: true }));

function verifyZip(bytes: Uint8Array, ...more: readonly string[]): Promise<{ code: number; text: string }> {
  writeFileSync(archive, bytes);
  return verifyProgram(archive, ...more);
}

let folders = 0;
/** The bundle unpacked by another program than ours. */
function unpacked(bytes: Buffer = whole): string {
  const folder = join(base, `folder-${++folders}`);
  for (const [name, content] of Object.entries(unzipSync(bytes))) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

describe('a bundle', () => {
  it('is verified where it was unpacked by the program in it, which needs nothing but Node', () => {
    const { status, stdout } = spawnSync(process.execPath, ['verify.mjs'], {
      cwd: unpacked(),
      env: {},
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/^Whole: report 2026-W10 \(5f0c.*\), 6 files, signed by audit-1\./);
    expect(stdout).toContain('Whole: 40 events (1 to 40), 1 checkpoints.');
    expect(stdout).toContain(`The key audit-1 (${publicKey}) is taken from the file: compare it`);
    expect(stdout).toContain('It does not show that what was recorded is true');
    expect(status).toBe(0);
  });

  it('is verified as it is packed, and by a key that is known its own is not asked about', async () => {
    const { code, text } = await verifyZip(whole, '--key', publicKey);
    expect(text).toMatch(/^Whole: report 2026-W10/);
    expect(text).not.toContain('is taken from the file');
    expect(code).toBe(0);
  });

  it('is the same to the byte from the same files, and its files lie where every program finds them', async () => {
    expect(whole.equals(await bundle())).toBe(true);
    const files = unzipSync(whole);
    expect(Object.keys(files)).toEqual([...ENTRIES.map(({ name }) => name), 'manifest.json', 'manifest.sig']);
    expect(Buffer.from(files['data/uploads.csv'] ?? []).toString()).toBe(ROWS.join(''));
  });

  it('is not whole whichever byte of the archive is flipped', async () => {
    const parts = partsOf(whole);
    const manifest = parts.find(({ name }) => name === 'manifest.json');
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const changed = Buffer.from(whole);
        changed[at] = (changed[at] ?? 0) ^ mask;
        const { code, text } = await verifyZip(changed);
        expect({ at, code, text }).toMatchObject({ code: 1, text: expect.stringMatching(/^NOT WHOLE: /) });
      }),
      {
        numRuns: 100,
        // The first and the last byte; each byte of a header, of a tail and of a directory's entry by turns.
        examples: [
          [0, 1],
          [whole.length - 1, 1],
          ...Array.from({ length: 30 }, (_, n) => [(manifest?.start ?? 0) + n, 1] as [number, number]),
          ...Array.from({ length: 16 }, (_, n) => [(manifest?.to ?? 0) + n, 1] as [number, number]),
          ...Array.from({ length: 46 }, (_, n) => [(manifest?.directory ?? 0) + n, 1] as [number, number]),
        ],
      },
    );
  }, 120_000);

  it('names the file of which a byte is another', async () => {
    const files = Object.keys(unzipSync(whole)).filter((name) => name !== 'data/empty.csv');
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...files),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (name, at, mask) => {
          const folder = unpacked();
          const content = readFileSync(join(folder, name));
          const place = at % content.length;
          content[place] = (content[place] ?? 0) ^ mask;
          writeFileSync(join(folder, name), content);
          const { code, text } = await verifyProgram(folder);
          expect(code).toBe(1);
          expect(text).toMatch(/^NOT WHOLE: /);
          expect(text).toContain(
            name.startsWith('manifest.') ? 'manifest.' : `${name} is not what was signed`,
          );
          rmSync(folder, { recursive: true });
        },
      ),
      { numRuns: 60 },
    );
  }, 120_000);

  it('is not whole when it is cut off anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), async (length) => {
        expect(await verifyZip(whole.subarray(0, length))).toMatchObject({
          code: 1,
          text: expect.stringMatching(/^NOT WHOLE: /),
        });
      }),
      { numRuns: 40, examples: [[0], [21], [22], [whole.length - 1]] },
    );
  }, 60_000);

  it.each([
    ['left out', (folder: string) => rmSync(join(folder, 'data/empty.csv')), 'data/empty.csv is missing'],
    [
      'put in',
      (folder: string) => writeFileSync(join(folder, 'data/more.csv'), ''),
      'data/more.csv is no file',
    ],
    [
      'put in under a name that is like the manifest',
      (folder: string) => writeFileSync(join(folder, 'manifest.pdf'), 'all clean'),
      'manifest.pdf is no file',
    ],
    [
      'put in a folder that is called like the manifest',
      (folder: string) => {
        mkdirSync(join(folder, 'manifest.d'));
        writeFileSync(join(folder, 'manifest.d', 'report.html'), 'all clean');
      },
      'manifest.d/report.html is no file',
    ],
    [
      'called otherwise',
      (folder: string) => renameSync(join(folder, 'report.pdf'), join(folder, 'old.pdf')),
      'old.pdf is no file',
    ],
    [
      'exchanged',
      (folder: string) => cpSync(join(folder, 'report.json'), join(folder, 'report.pdf')),
      'report.pdf has 32 bytes, and had 3000',
    ],
    [
      'a link to what is the same',
      (folder: string) => {
        renameSync(join(folder, 'report.pdf'), join(base, 'elsewhere.pdf'));
        symlinkSync(join(base, 'elsewhere.pdf'), join(folder, 'report.pdf'));
      },
      'report.pdf is no file',
    ],
    [
      'without its manifest',
      (folder: string) => rmSync(join(folder, 'manifest.json')),
      'manifest.json is missing',
    ],
    [
      'without its signature',
      (folder: string) => rmSync(join(folder, 'manifest.sig')),
      'manifest.sig is missing',
    ],
  ])('names a file that was %s', async (_, change, said) => {
    const folder = unpacked();
    change(folder);
    const { code, text } = await verifyProgram(folder);
    expect({ code, text }).toMatchObject({ code: 1, text: expect.stringContaining(`NOT WHOLE: ${said}`) });
  });

  it('whose manifest names no key is not whole, and says where', async () => {
    const folder = unpacked();
    const manifest = readFileSync(join(folder, 'manifest.json'), 'utf8');
    writeFileSync(join(folder, 'manifest.json'), manifest.replace(publicKey, `_${publicKey.slice(1)}`));
    expect(await verifyProgram(folder)).toEqual({
      code: 1,
      text: 'NOT WHOLE: manifest.json names a key that is no Ed25519 public key.\n',
    });
  });

  it('is found to be another when somebody else signed it anew, by the key that one knows', async () => {
    const pair = generateKeyPairSync('ed25519');
    const forged = await bundle(ENTRIES, FACTS, {
      keyId: 'audit-1',
      publicKey: publicKeyOf(pair.privateKey),
      sign: (bytes) => sign(null, bytes, pair.privateKey).toString('base64'),
    });
    expect(await verifyZip(forged, '--key', publicKey)).toEqual({
      code: 1,
      text: 'NOT WHOLE: manifest.json is signed with another key than the one you know.\n',
    });
    // It cannot be told without: the key has to be compared.
    expect((await verifyZip(forged)).text).toContain(`The key audit-1 (${publicKeyOf(pair.privateKey)})`);
    const borrowed = await bundle(ENTRIES, FACTS, {
      ...signer,
      sign: (bytes) => sign(null, bytes, pair.privateKey).toString('base64'),
    });
    expect((await verifyZip(borrowed)).text).toMatch(
      /^NOT WHOLE: manifest.sig is no signature of manifest.json/,
    );
  });

  it('is not said to be confirmed by a checkpoint of another time, and ends with 1', async () => {
    const file = join(base, 'kept.json');
    writeFileSync(file, JSON.stringify({ seq: 41, head: 'f'.repeat(64) }));
    const { code, text } = await verifyZip(whole, '--key', publicKey, '--checkpoint', file);
    expect(text).toMatch(
      /^NOT CONFIRMED: the checkpoint of event 41 .* \(1 to 40\): it was not compared\.\nWhole/,
    );
    expect(code).toBe(1);
  });

  it('whose extract is of another part of the record, or is missing, is not whole', async () => {
    const chain = { ...FACTS.chain, to: 39 };
    expect((await verifyZip(await bundle(ENTRIES, { ...FACTS, chain }))).text).toBe(
      'NOT WHOLE: audit.jsonl is another part of the record than the manifest names.\n',
    );
    const without = ENTRIES.filter(({ name }) => name !== 'audit.jsonl');
    expect((await verifyZip(await bundle(without))).text).toBe('NOT WHOLE: audit.jsonl is missing.\n');
    const lines = AUDIT.split('\n');
    const changed = ENTRIES.map((entry) =>
      entry.name === 'audit.jsonl' ? { ...entry, pieces: () => [lines.toSpliced(7, 1).join('\n')] } : entry,
    );
    expect((await verifyZip(await bundle(changed))).text).toBe(
      'NOT WHOLE: audit.jsonl: line 8: should be event 7 of the chain, and is 8.\n',
    );
  });

  it('that was packed again by another program is told from one that was changed', async () => {
    const { zipSync } = await import('fflate');
    const text = (await verifyZip(zipSync(unzipSync(whole)))).text;
    expect(text).toMatch(/^NOT WHOLE: /);
    expect((await verifyProgram(unpacked(Buffer.from(zipSync(unzipSync(whole)))))).code).toBe(0);
  });

  it('does not let what is in it write on the terminal', async () => {
    const label = 'week\u001b[2J\u202egpj';
    const { text } = await verifyZip(await bundle(ENTRIES, { ...FACTS, label }));
    expect(text).toMatch(/^Whole: report week\?\[2J\?gpj /);
  });
});

describe('writing a bundle', () => {
  it('reads no further than somebody takes, and lets its source go when nobody takes any more', async () => {
    const state = { pieces: 0, isOver: false };
    async function* endless(): AsyncGenerator<Buffer> {
      try {
        for (;;) {
          state.pieces += 1;
          yield randomBytes(65_536);
        }
      } finally {
        state.isOver = true;
      }
    }
    const writing = writeBundle([{ name: 'endless.csv', pieces: endless }], FACTS, signer);
    for (let taken = 0; taken < 20; taken += 1) await writing.next();
    // Some of them are held back by zlib; none is read ahead.
    expect(state.pieces).toBeLessThanOrEqual(21);
    await writing.return({ manifest: Buffer.alloc(0) });
    expect(state.isOver).toBe(true);
  });

  it('fails with the error of a source, and not with an archive that is cut off', async () => {
    async function* failing(): AsyncGenerator<string> {
      yield 'x'.repeat(200_000);
      throw new Error('the database went away');
    }
    await expect(bundle([{ name: 'data/x.csv', pieces: failing }])).rejects.toThrow('the database went away');
  });
});

describe('a hostile archive', () => {
  /** The same files and others, packed as we pack. */
  async function packed(files: Iterable<readonly [string, Uint8Array]>): Promise<Buffer> {
    const zip = new ZipWriter();
    const chunks: Uint8Array[] = [];
    for (const [name, content] of files)
      for await (const chunk of zip.file(name, [content])) chunks.push(chunk);
    return Buffer.concat([...chunks, ...zip.end()]);
  }

  it('that has something beside or behind its manifest is refused', async () => {
    const files = Object.entries(unzipSync(whole));
    expect((await verifyZip(await packed(files))).code).toBe(0);
    const more = ['manifest.html', Buffer.from('<h1>All clean</h1>')] as const;
    const behind = await verifyZip(await packed([...files, more]), '--key', publicKey);
    expect(behind).toEqual({
      code: 1,
      text: 'NOT WHOLE: the archive does not end with manifest.json and manifest.sig.\n',
    });
    const before = await verifyZip(await packed([...files.slice(0, -2), more, ...files.slice(-2)]));
    expect(before).toEqual({ code: 1, text: 'NOT WHOLE: manifest.html is no file of this bundle.\n' });
    const swapped = await verifyZip(await packed([...files.slice(0, -2), ...files.slice(-2).toReversed()]));
    expect(swapped).toEqual(behind);
  });

  it.each([
    ['a name that climbs', '../../etc/cron.d/x'],
    ['an absolute name', '/etc/passwd'],
    ['a name of another system', String.raw`data\uploads.csv`],
    ['a name in other letters', 'dätä.csv'],
    ['a deep name', 'a/b/c.csv'],
  ])('with %s is refused before anything of it is read', async (_, name) => {
    const { code, text } = await verifyZip(await bundle([{ name, pieces: () => ['x'] }, ...ENTRIES]));
    expect({ code, text }).toEqual({ code: 1, text: 'NOT WHOLE: a file has a name that none has.\n' });
  });

  it('with one name twice, or with more files than any, is refused', async () => {
    const twice = await bundle([...ENTRIES, ...ENTRIES]);
    expect((await verifyZip(twice)).text).toBe('NOT WHOLE: report.json is there twice.\n');
    const many = Array.from({ length: 120 }, (_, n) => ({ name: `f${n}`, pieces: () => [''] }));
    expect((await verifyZip(await bundle(many))).text).toBe(
      'NOT WHOLE: there are more files than a bundle has.\n',
    );
  });

  it('that says something of its signature’s file which nobody signed is refused', async () => {
    const changed = Buffer.from(whole);
    const part = partsOf(whole).at(-1);
    // Its time, in its header and in the directory alike.
    changed.writeUInt16LE(77, (part?.start ?? 0) + 10);
    changed.writeUInt16LE(77, (part?.directory ?? 0) + 12);
    expect((await verifyZip(changed)).text).toBe(
      'NOT WHOLE: manifest.sig: what the archive says of it is not as it was written.\n',
    );
  });

  it('whose entries lie over each other is refused', async () => {
    const changed = Buffer.from(whole);
    const [first, second] = partsOf(whole);
    changed.writeUInt32LE(first?.start ?? 0, (second?.directory ?? 0) + 42);
    expect((await verifyZip(changed)).text).toBe(
      'NOT WHOLE: report.pdf: is not in its place in the archive.\n',
    );
  });

  it('that grows beyond what it says is not read further', async () => {
    // A megabyte of zeros in a kilobyte, of which the directory and the tail say that it has ten bytes.
    const bomb = await bundle([{ name: 'bomb.csv', pieces: () => [Buffer.alloc(1_000_000)] }, ...ENTRIES]);
    const [part] = partsOf(bomb);
    bomb.writeUInt32LE(10, (part?.directory ?? 0) + 24);
    bomb.writeUInt32LE(10, (part?.to ?? 0) + 12);
    const { code, text } = await verifyZip(bomb);
    expect(code).toBe(1);
    expect(text).toBe('NOT WHOLE: bomb.csv has 10 bytes, and had 1000000.\n');
  });
});
