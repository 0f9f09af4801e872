import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { zip } from '../../../support/archives.js';
import { walkedIn, type WalkedOptions } from './walked.js';

const directory = mkdtempSync(join(tmpdir(), 'sallyport-mail-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const walked = (content: Buffer | string, options?: WalkedOptions) =>
  walkedIn(directory, Buffer.from(content), options);

const text = 'the content that is looked for';
const lines = (...all: string[]) => all.join('\r\n');
const base64 = (content: Buffer | string) =>
  Buffer.from(content)
    .toString('base64')
    .replaceAll(/(.{76})/g, '$1\r\n');

/** A mail of these parts, each a header and a body. */
const mail = (parts: readonly (readonly [header: string, body: string])[], boundary = 'b1') =>
  lines(
    'From: a@example.org',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed;',
    ` boundary="${boundary}"`,
    '',
    'for old readers',
    ...parts.map(([header, body]) => lines(`--${boundary}`, header, '', body)),
    `--${boundary}--`,
    '',
  );

const attachment = (content: Buffer | string, name = 'b.bin') =>
  [
    `Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="${name}"\r\nContent-Transfer-Encoding: base64`,
    base64(content),
  ] as const;

/** What uuencode prints. */
function uuencode(content: Buffer | string, name: string): string {
  const bytes = Buffer.from(content);
  const out = [`begin 644 ${name}`];
  for (let at = 0; at < bytes.length; at += 45) {
    const piece = bytes.subarray(at, at + 45);
    let line = String.fromCharCode(32 + piece.length);
    for (let from = 0; from < piece.length; from += 3) {
      const group = Buffer.concat([piece.subarray(from, from + 3), Buffer.alloc(3)]).readUIntBE(0, 3);
      for (const shift of [18, 12, 6, 0]) line += String.fromCharCode(32 + ((group >> shift) & 63) || 96);
    }
    out.push(line.replaceAll(' ', '`'));
  }
  return lines(...out, '`', 'end');
}

describe('parts are shown', () => {
  it('base64, by its name; an attached archive is opened', async () => {
    const content = mail([
      ['Content-Type: text/plain', 'hello'],
      attachment(zip([{ name: 'in.txt', content: text }]), 'b.zip'),
    ]);
    for (const chunk of [65_536, 7]) {
      const found = await walked(content, { chunk });
      expect(found.notes).toEqual([]);
      expect(found.members['a!b.zip!in.txt']).toBe(text);
    }
  });

  it('quoted-printable, with soft ends of lines', async () => {
    const part = 'Content-Type: text/plain; name="q.txt"\r\nContent-Transfer-Encoding: Quoted-Printable';
    const found = await walked(mail([[part, 'caf=C3=A9 =\r\nand=20tea  \r\nnext']]));
    expect(found.notes).toEqual([]);
    expect(Buffer.from(found.members['a!q.txt'] ?? '', 'latin1').toString()).toBe(
      'caf\u00e9 and tea\r\nnext',
    );
  });

  it('uuencode, in a text and as a part', async () => {
    const coded = uuencode(text.repeat(5), 'u.txt');
    const plain = await walked(lines('From: a', 'Subject: b', '', 'see below', coded, 'bye'));
    expect(plain).toMatchObject({ notes: [], members: { 'a!u.txt': text.repeat(5) } });
    for (const begin of ['begin 64 u.txt', 'begin 00644 u.txt', 'begin 644']) {
      const other = coded.replace('begin 644 u.txt', begin);
      const { members } = await walked(lines('From: a', 'Subject: b', '', 'see below', other, 'bye'));
      expect(Object.values(members)).toContain(text.repeat(5));
    }
    const part = 'Content-Type: application/octet-stream; name=x\r\nContent-Transfer-Encoding: x-uuencode';
    const found = await walked(mail([[part, coded]]));
    expect(found.notes).toEqual([]);
    expect(found.members['a!u.txt']).toBe(text.repeat(5));
  });

  it('a mail in a mail, as it stands and encoded; parts in parts', async () => {
    const inner = mail([attachment(text)], 'b2');
    const asItStands = await walked(mail([['Content-Type: message/rfc822', inner]]));
    expect(asItStands.notes).toEqual([]);
    expect(asItStands.members['a!part 2.eml!b.bin']).toBe(text);
    const encoded = await walked(mail([attachment(inner, 'm.eml')]));
    expect(encoded.members['a!m.eml!b.bin']).toBe(text);
    const digest = inner
      .replace('Content-Type: application/octet-stream', 'X-Nothing: 1')
      .replace(/^/, '\r\n');
    expect((await walked(mail([['', digest]]).replace('mixed', 'digest'))).members).toBeDefined();
    const [header, body] = attachment(text);
    const nested = lines('--b2', header, '', body, '--b2--');
    const found = await walked(mail([['Content-Type: multipart/related; boundary=b2', nested]]));
    expect(found).toMatchObject({ notes: [], members: { 'a!b.bin': text } });
  });

  it('each mail of a mailbox', async () => {
    const one = lines('From a@example.org Sat Jan  1 00:00:00 2026', mail([attachment(text, 'one')]));
    const two = lines('From b@example.org Sat Jan  2 00:00:00 2026', mail([attachment(text, 'two')]));
    const found = await walked(`${one}\r\n${two}`.replaceAll('\r\n', '\n'));
    expect(found).toMatchObject({ notes: [], members: { 'a!one': text, 'a!two': text } });
  });

  it('names in the ways of RFC 2231', async () => {
    const [header, body] = attachment(text, 'x');
    const named = header.replace('filename="x"', "filename*0*=utf-8''caf%C3%A9; filename*1=.txt");
    expect(Object.keys((await walked(mail([[named, body]]))).members)).toEqual(['a!caf\u00e9.txt']);
  });

  it('the same however the bytes are cut into chunks', async () => {
    const content = mail([attachment(zip([{ name: 'in.txt', content: text }])), ['', uuencode(text, 'u')]]);
    const expected = (await walked(content)).members;
    expect(Object.keys(expected)).toHaveLength(3);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 700 }), async (chunk) => {
        expect((await walked(content, { chunk })).members).toEqual(expected);
      }),
      { numRuns: 25 },
    );
  });
});

describe('what cannot be read, or could be read otherwise, is said', () => {
  const [header, body] = attachment(text);
  const good = mail([[header, body]]);
  it.each([
    ['base64 with something in it', mail([[header, `${body.slice(0, 8)}!!${body.slice(8)}`]]), 'corrupt'],
    ['base64 behind its end', mail([[header, `${base64('x')}\r\n${body}`]]), 'corrupt'],
    ['half a base64 group', mail([[header, 'AAAAA']]), 'corrupt'],
    ['an unknown encoding', mail([[header.replace('base64', 'yenc'), body]]), 'unsupported'],
    ['two encodings', mail([[`${header}\r\nContent-Transfer-Encoding: 7bit`, body]]), 'corrupt'],
    ['no last boundary', good.slice(0, good.lastIndexOf('--b1--')), 'corrupt'],
    ['no boundary at all', good.replace(/;\r\n boundary="b1"/, ''), 'corrupt'],
    ['a boundary in two ways', good.replace('boundary="b1"', 'boundary="b1"; boundary="b2"'), 'corrupt'],
    ['a part behind the last boundary', `${good}\r\n--b1\r\n${header}\r\n\r\n${body}`, 'unsupported'],
    ['a header in a text', mail([['Content-Type: text/plain', `${header}\r\n\r\n${body}`]]), 'unsupported'],
    [
      'parts encoded as a whole',
      good.replace('MIME-V', 'Content-Transfer-Encoding: base64\r\nMIME-V'),
      'corrupt',
    ],
    ['uuencode without its end', lines('From: a', 'To: b', '', uuencode(text, 'u').slice(0, -5)), 'corrupt'],
    ['S/MIME', mail([['Content-Type: application/pkcs7-mime; name=x', body]]), 'encrypted'],
    ['PGP', good.replace('multipart/mixed', 'multipart/encrypted'), 'encrypted'],
    ['a header that is none', good.replace('MIME-V', 'something\r\nMIME-V'), 'corrupt'],
  ])('%s', async (_, content, reason) => {
    const { reasons } = await walked(content);
    expect(reasons).toContain(reason);
  });

  it('parts in parts without end', async () => {
    let content = lines('Content-Type: multipart/mixed; boundary=x0', '');
    for (let level = 0; level < 100; level += 1) {
      content = lines(content, `--x${level}`, `Content-Type: multipart/mixed; boundary=x${level + 1}`, '');
    }
    expect((await walked(content)).reasons).toContain('limit');
  });
});

it.each([
  ['settings', 'name: x\ndate: 2026-01-01\nvalue: y\n'],
  ['a log', 'INFO: started\nno header\nWARN: from: here\nto: there\n'],
  ['a long list of names and values', 'from: a\nto: b\n'.repeat(30_000)],
])('%s is no mail with something wrong', async (_, content) => {
  expect(await walked(content)).toMatchObject({ notes: [], members: {} });
});
