import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
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
