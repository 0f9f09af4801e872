import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { PngPredictor } from '../../../../src/tasks/scan/archive/predictors.js';
import { walkedIn } from './walked.js';

const directory = mkdtempSync(join(tmpdir(), 'sallyport-hostile-text-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const walked = (content: string | Buffer) => walkedIn(directory, Buffer.from(content));
const mail = (header: string, body = 'YWJj\n') => `From: a\nMIME-Version: 1.0\n${header}\n\n${body}`;

/** Milliseconds of the faster of two goes: a collection of garbage is nobody's fault. */
async function fastest(content: string): Promise<number> {
  let least = Infinity;
  for (let go = 0; go < 2; go += 1) {
    const began = performance.now();
    await walked(content);
    least = Math.min(least, performance.now() - began);
  }
  return least;
}

describe('text that is made to take the square of its length takes no more than its length', () => {
  // What took 4 to 20 seconds before takes milliseconds; the rest is for a machine that is busy.
  it.each<[string, (n: number) => string]>([
    ['digits before a stream', (n) => `%PDF-1.4\n${'1'.repeat(n)}>>stream\nx\nendstream\n`],
    [
      'blanks in parameters',
      (n) => `%PDF-1.4\n1 0 obj\n<</Filter/FlateDecode/DP${' '.repeat(n)}>>stream\nx\nendstream\n`,
    ],
    [
      'filters that never end',
      (n) => `%PDF-1.4\n1 0 obj\n<<${'/Filter['.repeat(n / 8)}>>stream\nx\nendstream\n`,
    ],
    ['blanks in the encoding of a mail', (n) => mail(`Content-Transfer-Encoding: base64${' '.repeat(n)}x`)],
    ['brackets in the encoding of a mail', (n) => mail(`Content-Transfer-Encoding: ${'('.repeat(n)}x`)],
    [
      'blanks in a quoted-printable line',
      (n) =>
        mail('Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable', `${' '.repeat(n)}x\n`),
    ],
  ])('%s', async (_, make) => {
    expect(await fastest(make(64_000))).toBeLessThan(1000);
  });
});

describe('a megabyte of next to nothing takes no more than its length', () => {
  it.each<[string, string]>([
    ['the keyword of a stream', `%PDF-1.4\n${'stream\n'.repeat(150_000)}`],
    ['empty lines in the text of a mail', mail('', '\n'.repeat(2 ** 20))],
    ['empty lines as they stand', mail('Content-Type: application/x', '\n'.repeat(2 ** 20))],
    [
      'empty lines in quoted-printable',
      mail('Content-Type: application/x\nContent-Transfer-Encoding: quoted-printable', '\n'.repeat(2 ** 20)),
    ],
    [
      'lines of one letter in base64',
      mail('Content-Type: application/x\nContent-Transfer-Encoding: base64', 'a\n'.repeat(2 ** 19)),
    ],
    ['boundaries', mail('Content-Type: multipart/mixed; boundary=b', `${'--b\n'.repeat(2 ** 17)}--b--\n`)],
  ])('%s', async (_, content) => {
    expect(await fastest(content)).toBeLessThan(1000);
  });

  it('lines that are nothing but their end are shown many at a time', async () => {
    const found = await walked(mail('Content-Type: application/x', '\n'.repeat(2 ** 20)));
    expect(found.notes).toEqual([]);
    expect(found.bytes).toBe(2 ** 21 - 2);
    expect(found.pieces).toBeLessThan(200);
  });

  it('the keyword of a stream is found behind all that waits for it', async () => {
    const packed = deflateSync('found');
    const head = `%PDF-1.4\n${'stream\n'.repeat(20_000)}1 0 obj\n<</Filter/FlateDecode>>\nstream\n`;
    const content = Buffer.concat([Buffer.from(head), packed, Buffer.from('\nendstream\nendobj\n')]);
    for (const chunk of [65_536, 301]) {
      const { members, notes } = await walkedIn(directory, content, { chunk });
      expect({ members, notes }).toEqual({ members: { 'a!stream 1': 'found' }, notes: [] });
    }
  });
});

describe('a predictor costs what its bytes cost, whatever it says of its rows', () => {
  const shape = { columns: 2 ** 20, colors: 1, bits: 8 };

  it('rows of a million bytes that never come take no room', async () => {
    const alloc = vi.spyOn(Buffer, 'alloc');
    await new PngPredictor(shape).write(Buffer.from('\0abc'), async () => {});
    const asked = alloc.mock.calls.reduce((sum, [bytes]) => sum + bytes, 0);
    alloc.mockRestore();
    expect(asked).toBeLessThan(10_000);
  });

  it('rows of one byte are shown together', async () => {
    const shown: Buffer[] = [];
    const rows = Buffer.from([...Buffer.from('found')].flatMap((letter) => [0, letter]));
    const alloc = vi.spyOn(Buffer, 'alloc');
    await new PngPredictor({ ...shape, columns: 1 }).write(rows, async (bytes) => void shown.push(bytes));
    const rooms = alloc.mock.calls.length;
    alloc.mockRestore();
    expect(shown.map(String)).toEqual(['found']);
    expect(rooms).toBeLessThan(5);
  });

  it('what stands before an unknown kind of row is shown', async () => {
    const packed = deflateSync(Buffer.from('\0ab\u0009', 'latin1'));
    const head =
      '%PDF-1.4\n1 0 obj\n<</Filter/FlateDecode/DecodeParms<</Predictor 12/Columns 2>>>>\nstream\n';
    const found = await walked(
      Buffer.concat([Buffer.from(head), packed, Buffer.from('\nendstream\nendobj\n')]),
    );
    expect(found).toMatchObject({ members: { 'a!stream 1': 'ab' }, reasons: ['corrupt'] });
  });
});

describe('four megabytes of empty zstd frames', () => {
  it.each([
    ['skippable', '502a4d1800000000'],
    ['of no content', '28b52ffd2000010000'],
  ])('that are %s hold nobody up', async (_, frame) => {
    const content = Buffer.from(frame.repeat(Math.floor((8 * 1024 ** 2) / frame.length)), 'hex');
    let longest = 0;
    let last = performance.now();
    const turns = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    await walked(content);
    clearInterval(turns);
    expect(Math.max(longest, performance.now() - last)).toBeLessThan(1000);
  });
});

describe('a packed stream of a PDF that is not opened is told', () => {
  const packed = deflateSync(Buffer.from('BT (nothing) Tj ET '.repeat(20)));
  it.each([
    '/Filter[%]\n/FlateDecode]',
    '/Filter[(]) /FlateDecode]',
    '/Subtype/Image/Filter/FlateDecode/DecodeParms 9 0 R',
    '/Subtype/Image/Filter 9 0 R',
    '/Subtype/Image/Filter[/Crypt/FlateDecode]',
    '/X(/Subtype /Image)/Filter/FlateDecode/DecodeParms 9 0 R',
    '/Filter[/DCTDecode]/Y/FlateDecode',
  ])('%s', async (dictionary) => {
    const head = `%PDF-1.4\n1 0 obj\n<<${dictionary}/Length ${packed.length}>>\nstream\n`;
    const { reasons } = await walked(
      Buffer.concat([Buffer.from(head), packed, Buffer.from('\nendstream\nendobj\n')]),
    );
    expect(reasons).not.toEqual([]);
  });

  it('an encrypted one is encrypted however its name is written', async () => {
    const content = '%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<</Root 1 0 R /#45ncrypt 4 0 R>>\n%%EOF\n';
    expect((await walked(content)).reasons).toEqual(['encrypted']);
  });
});
