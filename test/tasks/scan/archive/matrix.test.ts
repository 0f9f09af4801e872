import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { Spool } from '../../../../src/s3/spool.js';
import { needsRandomAccess } from '../../../../src/s3/needs-random-access.js';
import { ArchiveWalk } from '../../../../src/tasks/scan/archive/walk.js';
import { MalwareLook } from '../../../../src/tasks/scan/malware-look.js';
import { BuiltInEngine } from '../../../../src/tasks/scan/malware/built-in-engine.js';
import { eicar } from '../../../../src/tasks/scan/malware/eicar.js';
import { readHashList } from '../../../../src/tasks/scan/malware/hash-list.js';
import { tar, zip } from '../../../support/archives.js';
import { bzip2, zstd } from './compressors.js';
import { CONTAINERS } from './containers.js';
import { gzipQuine, zipQuine } from './quines.js';

const directory = mkdtempSync(join(tmpdir(), 'sallyport-matrix-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const engine = new BuiltInEngine(readHashList(undefined));

interface Scanned {
  readonly isFound: boolean;
  readonly reasons: readonly string[];
  readonly grownBytes: number;
}

/** What the built-in engine finds, and what the walk says that it did not cover. */
async function scanned(pieces: Iterable<Buffer>): Promise<Scanned> {
  const look = new MalwareLook([await engine.begin()]);
  const spool = new Spool(directory, 2 * 1024 ** 3);
  const walk = new ArchiveWalk(look, { name: 'a', spool, now: () => performance.now() });
  let whole: Awaited<ReturnType<Spool['create']>> | undefined;
  let isFirst = true;
  const before = process.memoryUsage().rss;
  let most = before;
  for (const piece of pieces) {
    if (isFirst && needsRandomAccess(piece)) whole = await spool.create();
    isFirst = false;
    for (let at = 0; at < piece.length; at += 65_536) {
      const chunk = piece.subarray(at, at + 65_536);
      await whole?.write(chunk);
      await walk.write(chunk);
    }
    most = Math.max(most, process.memoryUsage().rss);
  }
  await walk.end(whole);
  await whole?.close();
  expect(spool.usedBytes).toBe(0);
  expect(walk.budget.held).toBe(0);
  const isFound = look.findings.some(({ title }) => title.startsWith('Malware'));
  return { isFound, reasons: walk.notCovered.map(({ reason }) => reason), grownBytes: most - before };
}

/** Never a clean that is not true: it is found, or it is said that something was not looked into. */
async function expectNoFalseClean(content: Buffer, what = ''): Promise<Scanned> {
  const found = await scanned([content]);
  expect(found.isFound || found.reasons.length > 0, what).toBe(true);
  return found;
}

const names = Object.keys(CONTAINERS);

describe('the test virus is found', () => {
  it.each(names)('in %s, to depth five', async (name) => {
    let content: Buffer = eicar();
    for (let depth = 1; depth <= 5; depth += 1) {
      content = await CONTAINERS[name]!(content);
      expect((await scanned([content])).isFound, `depth ${depth}`).toBe(true);
    }
  });

  it.each(names)('in %s around four others', async (name) => {
    let content: Buffer = eicar();
    for (let depth = 0; depth < 4; depth += 1) {
      content = await CONTAINERS[names[(names.indexOf(name) + depth) % names.length]!]!(content);
    }
    expect((await scanned([await CONTAINERS[name]!(content)])).isFound).toBe(true);
  });

  it('under names that climb', async () => {
    for (const name of ['../../x', '/etc/x', 'C:\\x', '..\\..\\x', '']) {
      expect((await scanned([zip([{ name, content: eicar() }])])).isFound, name).toBe(true);
    }
  });
});

describe('never a false clean', () => {
  it('25 deep', async () => {
    let content: Buffer = eicar();
    for (let depth = 0; depth < 25; depth += 1) content = zip([{ name: 'x', content }]);
    expect((await expectNoFalseClean(content)).reasons).toContain('limit');
  });

  it('10,051 members, the last one bad, in zip and tar', async () => {
    const members = Array.from({ length: 10_050 }, (_, n) => ({ name: `${n}`, content: 'x', stored: true }));
    await expectNoFalseClean(zip([...members, { name: 'last', content: eicar() }]));
    const files = Object.fromEntries(members.map(({ name, content }) => [`f${name}`, content]));
    await expectNoFalseClean(await tar({ ...files, last: eicar() }));
  });

  it.each(names)('%s that ends anywhere', async (name) => {
    const whole = await CONTAINERS[name]!(Buffer.concat([Buffer.alloc(600, 'text '), eicar()]));
    // As a tar's padding may be missing, so may a text be cut before the virus; a container may not.
    const step = Math.max(1, Math.floor(whole.length / 60));
    const starts: Readonly<Record<string, number>> = { mail: 120, pdf: 120, tar: 512 };
    for (let bytes = starts[name] ?? 40; bytes < whole.length - 1; bytes += step) {
      const { isFound, reasons } = await scanned([whole.subarray(0, bytes)]);
      // A mail may end at any line: what came of it was looked at.
      if (name !== 'mail') expect(isFound || reasons.length > 0, `${bytes} of ${whole.length}`).toBe(true);
    }
  });

  it('encrypted, and checksums and headers that lie', async () => {
    const content = eicar();
    const good = { name: 'x', content };
    const cases = {
      encrypted: zip([{ ...good, password: 'pw' }]),
      crc: zip([{ ...good, listed: { crc: 1 } }]),
      size: zip([{ ...good, listed: { unpackedBytes: 3 } }]),
      method: zip([{ ...good, local: { method: 0 } }]),
      name: zip([{ ...good, local: { name: 'y' } }]),
      hidden: zip([
        { ...good, hidden: true },
        { name: 'y', content: 'harmless' },
      ]),
      twice: Buffer.concat([zip([{ name: 'y', content: 'harmless' }]), zip([good])]),
      between: zip([{ name: 'y', content: 'harmless' }], { before: zip([good]) }),
    };
    for (const [what, bytes] of Object.entries(cases)) {
      await expectNoFalseClean(bytes, what);
      await expectNoFalseClean(gzipSync(await tar({ 'b.zip': bytes })), what);
    }
    for (const packed of [gzipSync(content), bzip2(content)]) {
      for (let at = packed.length - 8; at < packed.length; at += 1) {
        const changed = Buffer.from(packed);
        changed[at] = (changed[at] ?? 0) ^ 0x55;
        await expectNoFalseClean(changed, `checksum at ${at}`);
      }
    }
  });

  it('bombs of a gigabyte with the virus behind them, in bounded memory and time', async () => {
    const zeros = Buffer.alloc(16 * 1024 * 1024);
    // Members of gzip, frames of zstd and blocks of bzip2 behind one another are one content.
    const gzipped = gzipSync(zeros, { level: 9 });
    const began = performance.now();
    const bombs: Readonly<Record<string, Buffer[]>> = {
      gz: [...Array.from({ length: 64 }, () => gzipped), gzipSync(eicar())],
      zst: [zstd('', { runs: [[0, 1024 ** 3]] }), zstd(eicar())],
      bz2: [bzip2(Buffer.alloc(255 * 200), { times: 4000, blockBytes: 255 * 200 }), bzip2(eicar())],
      'tar.gz': [gzipSync(await tar({ bomb: Buffer.alloc(64 * 1024 * 1024), x: eicar() }))],
      zip: [
        zip([
          { name: 'bomb', content: Buffer.alloc(64 * 1024 * 1024) },
          { name: 'x', content: 'y' },
        ]),
      ],
    };
    for (const [name, pieces] of Object.entries(bombs)) {
      const { reasons, grownBytes } = await scanned(pieces);
      expect(reasons, name).toContain('limit');
      expect(grownBytes, name).toBeLessThan(150 * 1024 * 1024);
    }
    expect(performance.now() - began).toBeLessThan(18_000);
  });

  it('archives that unpack to themselves for ever', async () => {
    expect(gunzipSync(gzipQuine()).equals(gzipQuine())).toBe(true);
    expect((await expectNoFalseClean(gzipQuine())).reasons).toContain('limit');
    expect((await expectNoFalseClean(zipQuine())).reasons).toContain('limit');
  });
});
