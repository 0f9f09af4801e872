import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { tar, zip } from '../../../support/archives.js';
import { walkedIn, type WalkedOptions } from './walked.js';

const directory = mkdtempSync(join(tmpdir(), 'sallyport-pdf-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const walked = (content: Buffer, options?: WalkedOptions) => walkedIn(directory, content, options);

const text = 'BT (the content that is looked for) Tj ET';

/** A PDF of these streams, each with what its dictionary says beside the length. */
function pdf(
  streams: readonly (readonly [dictionary: string, data: Buffer | string])[],
  { trailer = '', between = '' } = {},
): Buffer {
  const parts: Buffer[] = [Buffer.from('%PDF-1.7\n%\u00e2\u00e3\u00cf\n', 'latin1')];
  for (const [at, [dictionary, data]] of streams.entries()) {
    const bytes = Buffer.from(data);
    parts.push(Buffer.from(`${at + 1} 0 obj\n<< /Length ${bytes.length} ${dictionary} >>\nstream\r\n`));
    parts.push(bytes, Buffer.from(`\nendstream\nendobj\n${between}`));
  }
  parts.push(Buffer.from(`trailer << /Root 1 0 R ${trailer} >>\nstartxref\n9\n%%EOF\n`));
  return Buffer.concat(parts);
}

const flate = deflateSync(text);
const hex = (bytes: Buffer) => `${bytes.toString('hex')}>`;

function ascii85(bytes: Buffer): string {
  let coded = '';
  for (let at = 0; at < bytes.length; at += 4) {
    const group = bytes.subarray(at, at + 4);
    let value = Buffer.concat([group, Buffer.alloc(4 - group.length)]).readUInt32BE(0);
    let digits = '';
    for (let digit = 0; digit < 5; digit += 1) {
      digits = String.fromCharCode(33 + (value % 85)) + digits;
      value = Math.floor(value / 85);
    }
    coded += digits.slice(0, group.length + 1);
  }
  return `${coded}~>`;
}

/** LZW that clears its table before each byte: codes stay nine bits long. */
function lzw(bytes: Buffer): Buffer {
  const codes = [...[...bytes].flatMap((byte) => [256, byte]), 257];
  const bits = codes.map((code) => code.toString(2).padStart(9, '0')).join('');
  return Buffer.from((bits.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2)));
}

/** Each byte but those of a row's first pixel, less what stands `step` before it. */
const tiffPredicted = (bytes: Buffer, rowBytes: number, step: number) =>
  Buffer.from(bytes.map((byte, at) => (at % rowBytes < step ? byte : byte - (bytes[at - step] ?? 0))));

const runs = Buffer.concat([Buffer.from([text.length - 1]), Buffer.from(text), Buffer.from([128])]);

describe('streams are shown unpacked', () => {
  it.each([
    ['deflate', '/Filter /FlateDecode', flate],
    ['deflate in an array', '/Filter[/FlateDecode]', flate],
    ['deflate by its short name', '/Filter /Fl', flate],
    ['a name with a number in it', '/Filter /Fl#61teDecode', flate],
    ['hexadecimal', '/Filter /ASCIIHexDecode', hex(Buffer.from(text))],
    ['base 85', '/Filter /ASCII85Decode', ascii85(Buffer.from(text))],
    ['run lengths', '/Filter /RunLengthDecode', runs],
    ['LZW', '/Filter /LZWDecode', lzw(Buffer.from(text))],
    ['a chain', '/Filter [/ASCIIHexDecode /ASCII85Decode /FlateDecode]', hex(Buffer.from(ascii85(flate)))],
    [
      'a predictor',
      `/Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns ${text.length} >>`,
      deflateSync(`\0${text}`),
    ],
    [
      "TIFF's predictor",
      `/Filter /FlateDecode /DecodeParms << /Predictor 2 /Colors 3 /Columns 5 >>`,
      deflateSync(tiffPredicted(Buffer.from(text), 15, 3)),
    ],
  ])('%s', async (_, dictionary, data) => {
    for (const chunk of [65_536, 7]) {
      const found = await walked(pdf([[dictionary, data]]), { chunk });
      expect(found.notes).toEqual([]);
      expect(found.members['a!stream 1']?.trimEnd()).toBe(text);
    }
  });

  it('an attached archive is opened, in a PDF in a zip too', async () => {
    const attached = deflateSync(zip([{ name: 'b.txt', content: text }]));
    const content = pdf([
      ['', 'plain'],
      ['/Type /EmbeddedFile /Filter /FlateDecode', attached],
    ]);
    expect((await walked(content)).members['a!stream 2!b.txt']).toBe(text);
    const inside = await walked(zip([{ name: 'c.pdf', content }]));
    expect(inside.members['a!c.pdf!stream 2!b.txt']).toBe(text);
  });

  it('the same however the bytes are cut into chunks', async () => {
    const content = pdf([
      ['/Filter /FlateDecode', flate],
      ['', 'endless stream of words'],
      ['/Filter /FlateDecode', deflateSync(await tar({ 'b.txt': text }))],
    ]);
    const expected = (await walked(content)).members;
    expect(Object.keys(expected)).toHaveLength(3);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 700 }), async (chunk) => {
        expect((await walked(content, { chunk })).members).toEqual(expected);
      }),
      { numRuns: 25 },
    );
  });

  it('pictures in their own coding are no gap, with a predictor that is not undone they are one', async () => {
    const content = pdf([
      ['/Subtype /Image /Filter /DCTDecode', 'jpeg'],
      ['/Subtype /Image /Filter [/FlateDecode /DCTDecode]', deflateSync('jpeg')],
      ['/Subtype /Image /Filter /FlateDecode /DecodeParms << /Predictor 7 >>', deflateSync('pixels')],
    ]);
    expect(await walked(content)).toMatchObject({
      notes: [{ path: 'a!stream 3', reason: 'unsupported', detail: 'pdf: predictor 7' }],
      members: { 'a!stream 2': 'jpeg' },
    });
  });
});

describe('what cannot be read is said', () => {
  it('a password, once and not as damage', async () => {
    const content = pdf([['/Filter /FlateDecode', Buffer.alloc(100, 7)]], { trailer: '/Encrypt 9 0 R' });
    expect((await walked(content)).reasons).toEqual(['encrypted']);
  });

  it.each([
    ['an unknown filter', '/Filter /Unheard', 'x', 'unsupported'],
    ['a filter told elsewhere', '/Filter 7 0 R', flate, 'unsupported'],
    ['two filters', '/Filter /FlateDecode /Filter /ASCIIHexDecode', flate, 'unsupported'],
    ['parameters told elsewhere', '/Filter /FlateDecode /DecodeParms 7 0 R', flate, 'unsupported'],
    [
      'a predictor that we do not know',
      '/Filter /FlateDecode /DecodeParms << /Predictor 7 >>',
      flate,
      'unsupported',
    ],
    [
      "TIFF's predictor of single bits",
      '/Filter /FlateDecode /DecodeParms << /Predictor 2 /BitsPerComponent 1 >>',
      flate,
      'unsupported',
    ],
    // No reader heeds these, and whoever does sees noise in place of what readers see.
    ...[
      '/Filter /FlateDecode /Piece << /Predictor 2 /Columns 60 >>',
      '/Filter /FlateDecode %/Predictor 2 /Columns 60\n',
      '/Filter /FlateDecode /T (/Predictor 2 /Columns 60)',
      '/Filter [/ASCIIHexDecode /FlateDecode] /DecodeParms [<< /Predictor 2 /Columns 60 >> null]',
      '/Filter /FlateDecode /Piece << /DecodeParms << /Predictor 12 /Columns 900 >> >>',
      '/Filter /LZWDecode /Piece << /EarlyChange 0 >>',
    ].map((dictionary): [string, string, Buffer, string] => [
      `parameters of nobody: ${dictionary.trim()}`,
      dictionary,
      flate,
      'unsupported',
    ]),
    ['nonsense', '/Filter /FlateDecode', 'nonsense', 'corrupt'],
    ['half of it', '/Filter /FlateDecode', flate.subarray(0, -8), 'corrupt'],
    ['something behind it', '/Filter /FlateDecode', Buffer.concat([flate, Buffer.from('evil')]), 'corrupt'],
    ['no digit', '/Filter /ASCIIHexDecode', 'zz>', 'corrupt'],
    ['something behind the digits', '/Filter /ASCIIHexDecode', '00> evil', 'corrupt'],
    ['an LZW code before its time', '/Filter /LZWDecode', Buffer.from('ffff', 'hex'), 'corrupt'],
    ['a bomb', '/Filter /FlateDecode', deflateSync(Buffer.alloc(64 * 1024 * 1024)), 'limit'],
  ])('%s', async (_, dictionary, data, reason) => {
    const found = await walked(pdf([[dictionary, data]]));
    expect(found.reasons).toEqual([reason]);
    expect(found.bytes).toBeLessThan(16 * 1024 * 1024);
  });

  it.each([
    ['a stream that never ends', pdf([['/Filter /FlateDecode', flate]]).subarray(0, 100), 'corrupt'],
    [
      'a filter without a stream',
      pdf([['', 'x']], { between: '5 0 obj [/FlateDecode] endobj' }),
      'unsupported',
    ],
    ['a stream in a string', pdf([[`/X (>> stream\n) /Filter /FlateDecode`, flate]]), 'unsupported'],
    [
      'a comment before the stream',
      Buffer.from(`%PDF-1.7\n1 0 obj << /Filter /FlateDecode >> %\nstream\n${'x'.repeat(50)}\nendstream`),
      'unsupported',
    ],
  ])('%s', async (_, content, reason) => {
    const { reasons } = await walked(content);
    expect(new Set(reasons)).toEqual(new Set([reason]));
  });
});
