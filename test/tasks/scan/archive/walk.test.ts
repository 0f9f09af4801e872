import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { Spool } from '../../../../src/s3/spool.js';
import { sniffContainer } from '../../../../src/tasks/scan/archive/sniff.js';
import { ArchiveWalk } from '../../../../src/tasks/scan/archive/walk.js';
import { tar, zip } from '../../../support/archives.js';
import { walkedIn, type Walked, type WalkedOptions } from './walked.js';

const directory = mkdtempSync(join(tmpdir(), 'sallyport-walk-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const walked = (content: Buffer, options?: WalkedOptions): Promise<Walked> =>
  walkedIn(join(directory, 'spool'), content, options);

const text = 'the content that is looked for';

describe('what is looked into', () => {
  it('a zip shows its members, deflated and stored, also empty ones and folders with content', async () => {
    const { members, reasons } = await walked(
      zip([
        { name: 'b.txt', content: text },
        { name: 'c/d.txt', content: text, stored: true },
        { name: 'empty', content: '' },
        { name: 'folder/', content: 'hidden in a folder' },
      ]),
    );
    expect(members).toEqual({
      'a!b.txt': text,
      'a!c/d.txt': text,
      'a!empty': '',
      'a!folder/': 'hidden in a folder',
    });
    expect(reasons).toEqual([]);
  });

  it('a tar, a gzip and a tar in a gzip', async () => {
    const plain = await tar({ 'b.txt': text, 'deep/c.txt': 'x' });
    expect((await walked(plain)).members).toEqual({ 'a!b.txt': text, 'a!deep/c.txt': 'x' });
    expect((await walked(gzipSync(plain))).members).toMatchObject({ 'a!content!b.txt': text });
    expect((await walked(gzipSync(text))).members).toEqual({ 'a!content': text });
  });

  it('gzips behind one another are one', async () => {
    const { members } = await walked(Buffer.concat([gzipSync('first '), gzipSync('second')]));
    expect(members).toEqual({ 'a!content': 'first second' });
  });

  it('an archive in an archive, five levels and more', async () => {
    let content: Buffer = Buffer.from(text);
    content = zip([{ name: '5.txt', content }]);
    content = gzipSync(await tar({ '4.zip': content }));
    content = zip([{ name: '3.tar.gz', content }]);
    content = await tar({ '2.zip': content });
    content = zip([{ name: '1.tar', content }]);
    const { members, reasons } = await walked(content);
    expect(members['a!1.tar!2.zip!3.tar.gz!3.tar!4.zip!5.txt']).toBe(text);
    expect(reasons).toEqual([]);
  });

  it('what Info-ZIP and GNU tar write', async () => {
    writeFileSync(join(directory, 'one.txt'), text);
    writeFileSync(join(directory, 'two.txt'), text.repeat(1000));
    const run = (program: string, args: string[]) =>
      spawnSync(program, args, { cwd: directory, maxBuffer: 1 << 24 }).stdout;
    const zipped = run('zip', ['-q', '-', 'one.txt', 'two.txt']);
    if (zipped !== null && zipped.length > 0) {
      const { members, reasons } = await walked(zipped);
      expect(Object.keys(members)).toEqual(['a!one.txt', 'a!two.txt']);
      expect(reasons).toEqual([]);
    }
    const long = `${'l'.repeat(200)}.txt`;
    writeFileSync(join(directory, long), text);
    for (const format of ['gnu', 'ustar', 'pax', 'v7']) {
      const names = format === 'gnu' || format === 'pax' ? ['one.txt', long] : ['one.txt'];
      const { members, reasons } = await walked(run('tar', [`--format=${format}`, '-cz', ...names]));
      expect(Object.values(members)).toContain(text);
      expect(reasons).toEqual([]);
    }
  });

  it('the same is seen however the bytes are cut into chunks', async () => {
    const content = gzipSync(await tar({ 'b.txt': text, 'n.zip': zip([{ name: 'c.txt', content: text }]) }));
    const expected = (await walked(content)).members;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 700 }), async (chunk) => {
        expect((await walked(content, { chunk })).members).toEqual(expected);
      }),
      { numRuns: 25 },
    );
  });
});

describe('what cannot be looked into is said', () => {
  it('encrypted members, by their path; the others are seen', async () => {
    const { members, notes } = await walked(
      zip([
        { name: 'locked.txt', content: text, password: 'pw' },
        { name: 'open.txt', content: text },
      ]),
    );
    expect(notes).toMatchObject([{ path: 'a!locked.txt', reason: 'encrypted' }]);
    expect(members).toEqual({ 'a!open.txt': text });
  });

  it('an encrypted zip inside a tar.gz', async () => {
    const locked = zip([{ name: 'x', content: text, password: 'pw' }]);
    const { notes } = await walked(gzipSync(await tar({ 'locked.zip': locked })));
    expect(notes).toMatchObject([{ path: 'a!content!locked.zip!x', reason: 'encrypted' }]);
  });

  it.each([
    ['xz', 'fd377a585a000004'],
    ['7z', '377abcaf271c0004'],
    ['rar', '526172211a0700'],
    ['ar', '213c617263683e0a'],
  ])('%s is not opened, at any level', async (name, hex) => {
    const content = Buffer.concat([Buffer.from(hex, 'hex'), Buffer.alloc(100, 1)]);
    expect((await walked(content)).notes).toMatchObject([{ path: '', reason: 'unsupported' }]);
    const inside = await walked(zip([{ name: 'inner', content }]));
    expect(inside.notes).toEqual([
      { path: 'a!inner', reason: 'unsupported', detail: `${name} is not opened` },
    ]);
  });

  it('an unknown compression method', async () => {
    const content = zip([{ name: 'x', content: text, local: { method: 14 }, listed: { method: 14 } }]);
    expect((await walked(content)).notes).toMatchObject([{ path: 'a!x', reason: 'unsupported' }]);
  });

  it('Office documents and PDFs with a password', async () => {
    const ole = Buffer.concat([
      Buffer.from('d0cf11e0a1b11ae1', 'hex'),
      Buffer.alloc(5000),
      Buffer.from('EncryptedPackage', 'utf16le'),
      Buffer.alloc(100),
    ]);
    expect((await walked(ole)).reasons).toEqual(['encrypted']);
    const pdf = Buffer.from(
      `%PDF-1.7\n${'x'.repeat(70_000)}\ntrailer << /Root 1 0 R /Encrypt 12 0 R >>\n%%EOF`,
    );
    expect((await walked(pdf, { chunk: 70_030 })).reasons).toEqual(['encrypted']);
  });

  it('truncated and damaged archives, after what could be read', async () => {
    const tgz = gzipSync(await tar({ 'b.txt': text, 'c.bin': Buffer.alloc(200_000, 'z') }), { level: 0 });
    const cut = await walked(tgz.subarray(0, 100_000));
    expect(cut.reasons).toEqual(['corrupt']);
    expect(cut.members['a!content!b.txt']).toBe(text);
    const whole = zip([{ name: 'b.txt', content: text }]);
    expect((await walked(whole.subarray(0, -10))).reasons).toEqual(['corrupt']);
    const plain = await tar({ 'b.txt': text });
    expect((await walked(plain.subarray(0, 700))).reasons).toEqual(['corrupt']);
  });
});

describe('bombs stop at a limit', () => {
  const zeros = Buffer.alloc(64 * 1024 * 1024);

  it('a gzip of zeros, early', async () => {
    const { reasons, bytes } = await walked(gzipSync(zeros));
    expect(reasons).toEqual(['limit']);
    expect(bytes).toBeLessThan(16 * 1024 * 1024);
  });

  it('a zip of zeros, early; the members after it are still seen', async () => {
    const { notes, bytes, members } = await walked(
      zip([
        { name: 'bomb', content: zeros },
        { name: 'after.txt', content: text },
        {
          name: 'filler',
          content: Buffer.from(Array.from({ length: 400_000 }, (_, i) => (i * 7919) >> 3)),
          stored: true,
        },
      ]),
    );
    expect(notes).toMatchObject([{ path: 'a!bomb', reason: 'limit' }]);
    expect(bytes).toBeLessThan(16 * 1024 * 1024);
    expect(members['a!after.txt']).toBe(text);
  });

  it('zips in zips whose layers are modest each', async () => {
    const inner = zip([{ name: 'z', content: Buffer.alloc(8 * 1024 * 1024) }]);
    const middle = zip(Array.from({ length: 30 }, (_, i) => ({ name: `${i}.zip`, content: inner })));
    const { reasons, bytes } = await walked(zip([{ name: 'm.zip', content: middle }]));
    expect(reasons).toContain('limit');
    expect(bytes).toBeLessThan(64 * 1024 * 1024);
  });

  it('more members than allowed: the first are looked at', async () => {
    const members = Array.from({ length: 12 }, (_, i) => ({ name: `${i}`, content: text }));
    const found = await walked(zip(members), { limits: { members: 10 } });
    expect(found.reasons).toEqual(['limit']);
    expect(Object.keys(found.members)).toHaveLength(10);
    const inTar = await walked(
      await tar(Object.fromEntries(members.map(({ name, content }) => [name, content]))),
      { limits: { members: 10 } },
    );
    expect(inTar.reasons).toEqual(['limit']);
    expect(Object.keys(inTar.members)).toHaveLength(10);
  });

  it('more than ten thousand members by default', async () => {
    const content = zip(
      Array.from({ length: 10_051 }, (_, i) => ({ name: `${i}`, content: 'x', stored: true })),
    );
    expect((await walked(content)).reasons).toEqual(['limit']);
  });

  it('deeper than allowed, and the level above is seen', async () => {
    let content = zip([{ name: 'x.txt', content: text }]);
    for (let i = 0; i < 20; i += 1) content = zip([{ name: 'n.zip', content, stored: true }]);
    const { notes } = await walked(content);
    expect(notes).toMatchObject([{ reason: 'limit', detail: 'nested deeper than 16 levels' }]);
  });

  it('too many bytes in all', async () => {
    const noise = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7919) >> 3));
    const content = zip(
      Array.from({ length: 5 }, (_, i) => ({ name: `${i}`, content: noise, stored: true })),
    );
    const { reasons, bytes } = await walked(content, { limits: { totalBytes: 1_000_000 } });
    expect(reasons).toEqual(['limit']);
    expect(bytes).toBeLessThanOrEqual(1_000_000);
  });

  it('too much time', async () => {
    let clock = 0;
    const content = zip(Array.from({ length: 50 }, (_, i) => ({ name: `${i}`, content: text })));
    const { reasons } = await walked(content, { limits: { wallMs: 1000 }, now: () => (clock += 100) });
    expect(reasons).toEqual(['timeout']);
  });

  it('a spool without room', async () => {
    const big = zip([{ name: 'x', content: Buffer.alloc(1000, 'x'), stored: true }]);
    const { notes } = await walked(await tar({ 'b.zip': big, 'c.txt': text }), { quota: 500 });
    expect(notes).toMatchObject([{ path: 'a!b.zip', reason: 'limit' }]);
  });
});

describe('tricks make an archive suspect, never clean', () => {
  const good = { name: 'good.txt', content: 'harmless' };

  it.each([
    [
      'a member that the directory does not list',
      zip([good, { name: 'evil', content: text, hidden: true }, good]),
    ],
    ['a hidden member before all others', zip([{ name: 'evil', content: text, hidden: true }, good])],
    ['a hidden member after all others', zip([good, { name: 'evil', content: text, hidden: true }])],
    ['two names', zip([{ ...good, local: { name: 'evil.exe' } }])],
    ['two methods', zip([{ ...good, local: { method: 0 } }])],
    ['two opinions on encryption', zip([{ ...good, local: { flags: 0x801 } }])],
    ['a size that is not true', zip([{ ...good, listed: { unpackedBytes: 3 } }])],
    ['a checksum that is not true', zip([{ ...good, listed: { crc: 1 } }])],
    ['something behind it', Buffer.concat([zip([good]), Buffer.from('more')])],
    ['an archive behind it', Buffer.concat([zip([good]), zip([{ name: 'evil', content: text }])])],
    ['a second end in its comment', zip([good], { comment: `PK\u0005\u0006${'\0'.repeat(18)}` })],
    [
      'a zip behind a picture',
      Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), Buffer.alloc(3000, 1), zip([good])]),
    ],
    ['a zip in the middle', Buffer.concat([Buffer.alloc(3000, 'x'), zip([good]), Buffer.alloc(30_000, 'y')])],
    ['a zip that knows what stands before it', zip([good], { before: Buffer.alloc(3000, 'x') })],
  ])('%s', async (_, content) => {
    const { reasons } = await walked(content);
    expect(reasons.length).toBeGreaterThan(0);
    expect(new Set(reasons)).toEqual(new Set(['corrupt']));
  });

  describe('what other readers would see is said', () => {
    const bare = zip([{ name: 'evil', content: text }]);
    const body = bare.subarray(0, -22);
    const before = Buffer.alloc(3000, 'x');
    const ended = (entries: number, directoryBytes: number, offset: number, locator = Buffer.alloc(0)) => {
      const end = Buffer.from(bare.subarray(-22));
      end.writeUInt16LE(entries, 8);
      end.writeUInt16LE(entries, 10);
      end.writeUInt32LE(directoryBytes, 12);
      end.writeUInt32LE(offset, 16);
      return Buffer.concat([before, body, locator, end]);
    };
    const zip64Locator = Buffer.concat([Buffer.from('504b0607', 'hex'), Buffer.alloc(16)]);
    const listed = bare.readUInt32LE(bare.length - 10);

    it.each([
      ['in zip64', ended(0xffff, 0xffffffff, 0xffffffff)],
      ['that counts no members', ended(0, listed, bare.readUInt32LE(bare.length - 6))],
      ['that counts too many', ended(0xffff, listed, bare.readUInt32LE(bare.length - 6))],
      ['whose end is all zeros but for a zip64 locator', ended(0, 0, 0, zip64Locator)],
    ])('a zip behind other content, %s', async (_, content) => {
      expect((await walked(content)).reasons).toEqual(['corrupt']);
    });

    it('a member that hides inside the packed bytes of another', async () => {
      const hidden = zip([{ name: 'evil', content: text }]);
      const local = hidden.subarray(0, hidden.indexOf(Buffer.from('504b0102', 'hex')));
      const content = zip([{ name: 'good.txt', content: 'harmless', after: local }]);
      expect((await walked(content)).notes).toMatchObject([
        { reason: 'corrupt', detail: 'zip: something follows inside the packed bytes of a member' },
      ]);
    });

    it('a gzip member behind a zero; zeros alone are padding', async () => {
      const one = gzipSync('harmless');
      const padding = Buffer.alloc(512);
      const content = Buffer.concat([one, padding, gzipSync(text)]);
      expect((await walked(content)).reasons).toEqual(['corrupt']);
      expect((await walked(content, { chunk: 7 })).reasons).toEqual(['corrupt']);
      expect((await walked(Buffer.concat([one, padding]))).reasons).toEqual([]);
    });

    const headed = async (edit: (header: Buffer, sum: number, signedSum: number) => void) => {
      const content = await tar({ 'n\u00e9.txt': gzipSync(text) });
      const header = content.subarray(0, 512);
      header.fill(' ', 148, 156);
      const sum = header.reduce((total, byte) => total + byte, 0);
      edit(
        header,
        sum,
        header.reduce((total, byte) => total + (byte > 127 ? byte - 256 : byte), 0),
      );
      return content;
    };

    it.each([
      ['spaces before it', (header: Buffer, sum: number) => header.write(` ${sum.toString(8)} \0`, 148)],
      [
        'signed bytes',
        (header: Buffer, _: number, sum: number) =>
          header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148),
      ],
      [
        'a binary number',
        (header: Buffer, sum: number) => {
          header.fill(0, 148, 156);
          header[148] = 0x80;
          header.writeUInt32BE(sum, 152);
        },
      ],
    ])('a tar whose checksum is written with %s', async (_, edit) => {
      const { members, reasons } = await walked(await headed(edit));
      expect(Object.values(members).includes(text) || reasons.includes('corrupt')).toBe(true);
    });

    it('a tar with content behind a folder, at once', async () => {
      const content = await tar({ folder: Buffer.alloc(600, 'x'), after: text });
      const header = content.subarray(0, 512);
      header.write('5', 156);
      header.fill(' ', 148, 156);
      const sum = header.reduce((total, byte) => total + byte, 0);
      header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
      expect((await walked(content)).reasons).toEqual(['corrupt']);
    });

    const noise = Buffer.alloc(4000, 'some text, ');
    it.each([
      ['7z', '377abcaf271c0004'],
      ['rar', '526172211a070100'],
      ['xz', 'fd377a585a000004'],
      ['cab', '4d53434600000000'],
      ['bzip2', '425a6839314159265359'],
      ['gzip', gzipSync(text).toString('hex')],
      ['zip', body.toString('hex')],
    ])('%s content inside other content, as installers have it', async (name, hex) => {
      const content = Buffer.concat([noise, Buffer.from(hex, 'hex'), noise]);
      for (const chunk of [65_536, 3]) {
        expect((await walked(content, { chunk })).notes).toMatchObject([
          { path: '', reason: 'unsupported', detail: `holds ${name} content that is not opened` },
        ]);
      }
    });

    it('the file system of a CD, and the parts of a mail that does not begin as one', async () => {
      const cd = Buffer.concat([Buffer.alloc(32_769), Buffer.from('CD001'), Buffer.alloc(100)]);
      expect((await walked(cd, { chunk: 1000 })).reasons).toEqual(['unsupported']);
      const mail = 'no mail\r\nContent-Transfer-Encoding: base64\r\n\r\nUEsDBA==\r\n';
      expect((await walked(Buffer.from(mail), { chunk: 5 })).reasons).toEqual(['unsupported']);
      const odd = mail.replace('Content-Transfer-Encoding', 'cOnTent-tRansFer-EnCoDing');
      for (const head of ['', '-', '-enc', 'x'.repeat(9), '-encoding'])
        expect((await walked(Buffer.from(`${head}\r\n${odd}`), { chunk: 999 })).reasons).toEqual([
          'unsupported',
        ]);
    });

    it.each([
      'Salted__abc',
      'age-encryption.org/v1\n',
      '-----BEGIN PGP MESSAGE-----\n',
      '$ANSIBLE_VAULT;1.1',
    ])('what is encrypted as a whole: %s', async (start) => {
      expect((await walked(Buffer.concat([Buffer.from(start), noise]))).reasons).toEqual(['encrypted']);
    });
  });

  it('members that share bytes', async () => {
    const one = zip([good]);
    // The directory lists the same local header twice.
    const entry = one.subarray(one.indexOf(Buffer.from('504b0102', 'hex')), -22);
    const end = Buffer.from(one.subarray(-22));
    end.writeUInt16LE(2, 8);
    end.writeUInt16LE(2, 10);
    end.writeUInt32LE(entry.length * 2, 12);
    const content = Buffer.concat([one.subarray(0, -22), entry, end]);
    expect((await walked(content)).notes).toMatchObject([
      { reason: 'corrupt', detail: 'members share the same bytes' },
    ]);
  });

  it('names that climb are only names', async () => {
    const { members, reasons } = await walked(
      zip([
        { name: '../../../etc/cron.d/x', content: text },
        { name: '/etc/passwd', content: text },
        { name: 'C:\\x', content: text },
        { name: 'evil\u202Etxt.exe', content: text },
        { name: 'line\nbreak', content: text },
      ]),
    );
    expect(reasons).toEqual([]);
    expect(Object.keys(members)).toEqual([
      'a!../../../etc/cron.d/x',
      'a!/etc/passwd',
      'a!C:\\x',
      'a!evil\\u{202e}txt.exe',
      'a!line\\u{a}break',
    ]);
  });
});

it('a visitor that fails ends the walk with its own error', async () => {
  const failing = new ArchiveWalk(
    {
      open: () => ({
        write: () => Promise.reject(new Error('the engine is gone')),
        end: async () => undefined,
        abort: () => undefined,
      }),
    },
    { name: 'a', spool: new Spool(join(directory, 'spool'), 1 << 20), now: () => performance.now() },
  );
  const content = gzipSync(await tar({ 'b.txt': text }));
  await expect(
    (async () => {
      await failing.write(content);
      await failing.end();
    })(),
  ).rejects.toThrow('the engine is gone');
});

it('arbitrary bytes never break the walk', async () => {
  const beginnings = [Buffer.from('504b0304', 'hex'), Buffer.from('1f8b08', 'hex'), await tar({ x: 'y' })];
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), fc.nat(3), async (bytes, kind) => {
      const content = Buffer.concat([beginnings[kind] ?? Buffer.alloc(0), bytes]);
      const { walk } = await walked(content, { chunk: 512 });
      expect(walk.notCovered).toBeDefined();
    }),
    { numRuns: 200 },
  );
});

it('a container is told by its content alone', () => {
  expect(sniffContainer(Buffer.from('plain text'))).toBeUndefined();
  expect(sniffContainer(Buffer.alloc(512))).toBeUndefined();
  expect(sniffContainer(Buffer.alloc(0))).toBeUndefined();
});
