import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { tar, zip } from '../../../support/archives.js';
import { bzip2, zstd, zstdSkippable } from './compressors.js';
import { walkedIn, type WalkedOptions } from './walked.js';

const directory = mkdtempSync(join(tmpdir(), 'sallyport-packed-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const walked = (content: Buffer, options?: WalkedOptions) => walkedIn(directory, content, options);

const text = 'the content that is looked for';
const compressors: readonly (readonly [string, (content: Buffer | string) => Buffer])[] = [
  ['bzip2', bzip2],
  ['zstd', zstd],
];

describe.each(compressors)('%s', (name, compress) => {
  it('is opened, also inside others', async () => {
    expect(await walked(compress(text))).toMatchObject({ members: { 'a!content': text }, notes: [] });
    const packed = compress(await tar({ 'b.txt': text }));
    expect((await walked(packed)).members['a!content!b.txt']).toBe(text);
    const inside = await walked(zip([{ name: `c.tar.${name === 'zstd' ? 'zst' : 'bz2'}`, content: packed }]));
    expect(inside.reasons).toEqual([]);
    expect(Object.keys(inside.members).some((path) => /^a!c\.tar\.\w+!c\.tar!b\.txt$/.test(path))).toBe(true);
  });

  it('an empty content is a content', async () => {
    expect(await walked(compress(''))).toMatchObject({ members: { 'a!content': '' }, notes: [] });
  });

  it('streams behind one another are one, and zeros behind them padding', async () => {
    const content = Buffer.concat([compress('first '), compress('second'), Buffer.alloc(1024)]);
    for (const chunk of [65_536, 5]) {
      expect(await walked(content, { chunk })).toMatchObject({
        members: { 'a!content': 'first second' },
        notes: [],
      });
    }
  });

  it.each([
    ['something else', Buffer.from('more')],
    ['one byte', Buffer.from('x')],
    ['padding and another stream', Buffer.concat([Buffer.alloc(512), bzip2(text)])],
    ['a gzip', gzipSync(text)],
  ])('%s behind it is said', async (_, after) => {
    for (const chunk of [65_536, 3]) {
      const found = await walked(Buffer.concat([compress('harmless'), after]), { chunk });
      expect(found.reasons).toEqual(['corrupt']);
    }
  });

  it('cut off anywhere, it is corrupt', async () => {
    const content = compress(text.repeat(3));
    for (let bytes = 4; bytes < content.length; bytes += 1) {
      const { reasons } = await walked(content.subarray(0, bytes), { chunk: 9 });
      expect(reasons, `${bytes} of ${content.length} bytes`).toEqual(['corrupt']);
    }
  });

  it('the same is seen however the bytes are cut into chunks', async () => {
    const content = compress(await tar({ 'b.txt': text, 'c.bz2': bzip2(text), 'd.zst': zstd(text) }));
    const expected = (await walked(content)).members;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 700 }), async (chunk) => {
        expect((await walked(content, { chunk })).members).toEqual(expected);
      }),
      { numRuns: 25 },
    );
  });

  it('any change is noticed or changes nothing but what is seen', async () => {
    const content = compress(text.repeat(20));
    await fc.assert(
      fc.asyncProperty(fc.nat(content.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const changed = Buffer.from(content);
        changed[at] = (changed[at] ?? 0) ^ flip;
        const { reasons, members } = await walked(changed);
        // A file of another kind altogether is no container of this one.
        expect(reasons.length > 0 || Object.keys(members).length < 2).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('what the usual program writes, as fast as it comes', async () => {
    const run = (args: string[], input: Buffer) =>
      spawnSync(name, args, { input, maxBuffer: 1 << 28 }).stdout;
    const noise = Buffer.from(Array.from({ length: 1_200_000 }, (_, i) => (i * i) >> 7));
    const words = Buffer.from(text.repeat(5000));
    for (const level of ['-1', '-9']) {
      for (const content of [Buffer.alloc(0), Buffer.from('x'), noise, words, Buffer.alloc(950_000)]) {
        const packed = run([level, '-c'], content);
        if (packed === null || packed.length === 0) return;
        const found = await walked(packed, { limits: { ratio: 1e6 } });
        expect(found.reasons).toEqual([]);
        expect(found.bytes).toBe(content.length);
        expect(found.members['a!content']).toBe(content.subarray(0, 1024).toString('latin1'));
      }
    }
  });
});

describe('zstd', () => {
  it('skippable frames are skipped', async () => {
    const content = Buffer.concat([zstdSkippable('note'), zstd(text), zstdSkippable('x'.repeat(2000))]);
    for (const chunk of [65_536, 1]) {
      expect(await walked(content, { chunk })).toMatchObject({ members: { 'a!content': text }, notes: [] });
    }
    expect((await walked(Buffer.concat([zstdSkippable('x'), Buffer.from('evil')]))).reasons).toEqual([
      'corrupt',
    ]);
    expect((await walked(zstdSkippable('cut off').subarray(0, -1))).reasons).toEqual(['corrupt']);
  });

  it('a window of two gigabytes is a limit and takes no memory', async () => {
    const before = process.memoryUsage().rss;
    for (const windowLog of [26, 31, 41]) {
      const { notes } = await walked(zstd(text, { windowLog }));
      expect(notes).toMatchObject([{ reason: 'limit' }]);
    }
    // One segment: the window is as large as the content says it is.
    const single = Buffer.from('28b52ffde0ffffffffffff0000010000', 'hex');
    expect((await walked(single)).reasons).toEqual(['limit']);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  });

  it('windows add up over all levels', async () => {
    let content: Buffer = Buffer.from(text.repeat(50));
    for (let level = 0; level < 4; level += 1) content = zstd(content, { windowLog: 24 });
    expect((await walked(content)).notes).toMatchObject([{ reason: 'limit' }]);
  });

  it('a dictionary that we do not have is said', async () => {
    expect((await walked(zstd(text, { dictionary: 7 }))).reasons).toEqual(['unsupported']);
  });

  it('a bomb stops early', async () => {
    const content = zstd('', { runs: [[0, 1024 ** 3]] });
    const { reasons, bytes } = await walked(content);
    expect(reasons).toEqual(['limit']);
    expect(bytes).toBeLessThan(16 * 1024 * 1024);
  });
});

describe('bzip2', () => {
  it('a bomb stops early', async () => {
    const content = bzip2(Buffer.alloc(255 * 200), { times: 600, blockBytes: 255 * 200 });
    const { reasons, bytes } = await walked(content);
    expect(reasons).toEqual(['limit']);
    expect(bytes).toBeLessThan(16 * 1024 * 1024);
  });

  it('in one another, as deep as memory allows', async () => {
    let content: Buffer = Buffer.from(Array.from({ length: 2000 }, (_, i) => (i * i * 7919) >> 5));
    for (let level = 0; level < 5; level += 1) content = bzip2(content);
    expect((await walked(content)).reasons).toEqual([]);
    const { notes } = await walked(content, { limits: { memoryBytes: 8 * 1024 * 1024 } });
    expect(notes).toMatchObject([
      { reason: 'limit', detail: 'unpacking takes more than 8388608 bytes of memory' },
    ]);
  });
});
