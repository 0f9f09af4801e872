import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { tar } from '../../../support/archives.js';
import { bzip2, zstd } from './compressors.js';
import { walkedIn, type WalkedOptions } from './walked.js';

const directory = mkdtempSync(join(tmpdir(), 'sallyport-gzip-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const walked = (content: Buffer, options?: WalkedOptions) => walkedIn(directory, content, options);

const text = 'the content that is looked for';

/** A gzip with the optional parts of the header, as RFC 1952 has them. */
function withHeader(flags: number, fields: Buffer): Buffer {
  const packed = gzipSync(text);
  const head = Buffer.from(packed.subarray(0, 10));
  head[3] = flags;
  return Buffer.concat([head, fields, packed.subarray(10)]);
}

const pdf = (packed: Buffer) =>
  Buffer.concat([
    Buffer.from(`%PDF-1.7\n1 0 obj << /Filter /FlateDecode /Length ${packed.length} >>\nstream\n`),
    packed,
    Buffer.from('\nendstream\nendobj\n%%EOF\n'),
  ]);

const flipped = (content: Buffer, at: number): Buffer => {
  const changed = Buffer.from(content);
  changed[at < 0 ? changed.length + at : at]! ^= 0x55;
  return changed;
};

describe('what unpacked is shown though something is wrong behind it', () => {
  const packers = { gzip: gzipSync, bzip2, zstd } as Record<string, (content: string) => Buffer>;

  it.each(Object.keys(packers))('%s with junk behind its end', async (name) => {
    for (const junk of ['x', '\x1f', 'junk that is longer than a trailer', '\0\0junk'])
      for (const chunk of [65_536, 3]) {
        const content = Buffer.concat([packers[name]!(text), Buffer.from(junk, 'latin1')]);
        const { members, reasons } = await walked(content, { chunk });
        expect(members, junk).toEqual({ 'a!content': text });
        expect(reasons, junk).toEqual(['corrupt']);
      }
  });

  it('gzip whose checksum or size is another', async () => {
    for (const at of [-1, -4, -5, -8])
      expect(await walked(flipped(gzipSync(text), at))).toMatchObject({
        members: { 'a!content': text },
        notes: [{ path: '', reason: 'corrupt' }],
      });
  });

  it('gzip in a tgz, junk behind both', async () => {
    const junk = Buffer.from('junk');
    const inner = Buffer.concat([gzipSync(text), junk]);
    const found = await walked(Buffer.concat([gzipSync(await tar({ 'b.gz': inner })), junk]));
    expect(found.members['a!content!b.gz!b']).toBe(text);
    expect(found.notes.map(({ path }) => path).sort()).toEqual(['', 'a!content!b.gz']);
  });

  it('deflate of a PDF whose checksum is another, and with junk behind it', async () => {
    const packed = deflateSync(text);
    for (const content of [flipped(packed, -1), Buffer.concat([packed, Buffer.from('junk')])])
      expect(await walked(pdf(content))).toMatchObject({
        members: { 'a!stream 1': text },
        notes: [{ path: 'a!stream 1', reason: 'corrupt' }],
      });
  });

  it('gzip cut off anywhere', async () => {
    const content = gzipSync(text.repeat(3));
    for (let bytes = 2; bytes < content.length; bytes += 1)
      for (const chunk of [65_536, 4]) {
        const { members, reasons } = await walked(content.subarray(0, bytes), { chunk });
        expect(reasons, `${bytes}`).toEqual(['corrupt']);
        if (bytes >= content.length - 8) expect(members['a!content']).toBe(text.repeat(3));
      }
  });
});

describe('gzip', () => {
  it('headers with extra fields, names, comments and a checksum', async () => {
    const fields = Buffer.from('\x03\0abcname\0comment\0', 'latin1');
    for (const chunk of [65_536, 1])
      expect(await walked(withHeader(4 + 8 + 16, fields), { chunk })).toMatchObject({
        members: { 'a!content': text },
        notes: [],
      });
    expect((await walked(withHeader(2, Buffer.from('xx')))).reasons).toEqual(['corrupt']);
    expect((await walked(withHeader(64, Buffer.alloc(0)))).reasons).toEqual(['corrupt']);
  });

  it('a name that does not end is a limit', async () => {
    const content = withHeader(8, Buffer.alloc(600_000, 'n'));
    expect((await walked(content)).reasons).toEqual(['limit']);
  });

  it('thousands of small members are one content', async () => {
    const content = Buffer.concat(Array.from({ length: 3000 }, () => gzipSync('x')));
    const { members, reasons, bytes } = await walked(content);
    expect(reasons).toEqual([]);
    expect(bytes).toBe(3000);
    expect(members['a!content']).toBe('x'.repeat(1024));
  });
});
