import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { sniffContainer } from '../../../../src/tasks/scan/archive/sniff.js';
import { tar } from '../../../support/archives.js';
import { walkedIn } from './walked.js';

const directory = mkdtempSync(join(tmpdir(), 'sallyport-not-opened-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const walked = (content: Buffer) => walkedIn(directory, content);
const hex = (...parts: string[]) => Buffer.from(parts.join(''), 'hex');

const pack = (version: number) =>
  Buffer.concat([
    Buffer.from('PACK'),
    hex(`0000000${version}`, '00000001', 'be01'),
    deflateSync('a token '.repeat(9)),
  ]);
const bundle = (version: number) =>
  Buffer.concat([Buffer.from(`# v${version} git bundle\n${'1'.repeat(40)} refs/heads/main\n\n`), pack(2)]);
const yenc = '=ybegin line=128 size=5 name=x\r\n\x92\x8f\x96\x96\x99\r\n=yend size=5\r\n';

describe('what is packed in a way that is not opened is said', () => {
  it.each([
    ['a git pack', pack(2)],
    ['a git pack of version 3', pack(3)],
    ['a git bundle', bundle(2)],
    ['a git bundle of version 3', bundle(3)],
    ['yEnc', Buffer.from(yenc, 'latin1')],
    ['yEnc behind the header of an article', Buffer.from(`Newsgroups: x\r\n\r\n${yenc}`, 'latin1')],
  ])('%s, with its place in a tgz', async (_, content) => {
    expect(await walked(content)).toMatchObject({ notes: [{ path: '', reason: 'unsupported' }] });
    const inside = await walked(gzipSync(await tar({ '.git/x': content })));
    expect(inside.notes).toMatchObject([{ path: 'a!content!.git/x', reason: 'unsupported' }]);
  });

  it('texts that speak of them are none', async () => {
    for (const text of ['PACK the bags', '# v2 git bundles are files', 'each line =ybegin line=1', '=ybegin'])
      expect((await walked(Buffer.from(text.padEnd(200)))).reasons).toEqual([]);
  });
});

// Written by GnuPG 2.4, cut where only random bytes follow.
const KEY_25519 = hex(
  '845e0364534f2736d9ebb012010740bf70197eb885a36e5192c98c71c91a160bc66814aa4ce3d7858fee23c6622a36',
  '3048054cc9dff9f356401118a77ac37836d8640dbdaf2d74db4b1f1dbf4a550e13e09ec5d512e92ac536b47f78b8285e9a',
);
const BODY_V1 = hex(
  'd23c013b4cc2b98f421caf50d64b9f6cb78bafa61dd2a13cab6ac2aa2c35540024744f0c748b4a914a72b52d1f70',
  '83ef5bf063c3f9b9095a2505ff4c3e4e',
);
const BODY_AEAD = hex('d4420109', '02', '10', '55'.repeat(63));
const PASSPHRASE = hex('8c0d040903026494ea40aaee94edff');
const PASSPHRASE_AND_KEY = hex('c32e040903026e8bf09ac3d20d31ff', '60', '7f'.repeat(32));
const rsa = (bytes: number, head: string) =>
  Buffer.concat([
    hex(head, '03', 'fa7b8f24aee17289', '01', (bytes * 8 - 3).toString(16).padStart(4, '0'), '14'),
    Buffer.alloc(bytes - 1, 0x9b),
  ]);

describe('a binary OpenPGP message is encrypted', () => {
  it.each([
    ['for a key of Curve25519', Buffer.concat([KEY_25519, BODY_AEAD])],
    ['for a key of RSA 2048', Buffer.concat([rsa(256, '85010c'), BODY_V1])],
    ['for a key of RSA 4096, as newer packets are written', Buffer.concat([rsa(512, 'c1c14c'), BODY_V1])],
    ['for two keys', Buffer.concat([KEY_25519, rsa(256, '85010c'), BODY_V1])],
    ['with a passphrase', Buffer.concat([PASSPHRASE, BODY_V1])],
    ['with a passphrase that has a key', Buffer.concat([PASSPHRASE_AND_KEY, BODY_V1])],
    ['with no key before it', BODY_V1],
    ['with no key before it, version 2', hex('d2ff00010000', '02', '09', '02', '06', '55'.repeat(300))],
  ])('%s', async (_, content) => {
    expect(await walked(content)).toMatchObject({ notes: [{ path: '', reason: 'encrypted' }] });
    const inside = await walked(gzipSync(await tar({ 'b.gpg': content })));
    expect(inside.notes).toMatchObject([{ path: 'a!content!b.gpg', reason: 'encrypted' }]);
  });

  it.each([
    ['a length that is one off', Buffer.concat([rsa(256, '85010d'), BODY_V1])],
    [
      'bits that are not those of the number',
      Buffer.concat([rsa(256, '85010c').fill(0xff, 14, 15), BODY_V1]),
    ],
    ['no data behind the key', Buffer.concat([KEY_25519, Buffer.from('and now a text')])],
    ['a passphrase with nothing behind it', PASSPHRASE],
    ['sealed data that ends elsewhere', Buffer.concat([BODY_V1, Buffer.from('more')])],
    ['a public key', hex('9833046a2b1c5d16092b06010401da470f010107', '40', '11'.repeat(60))],
    ['a detached signature', hex('887504001608001d162104', '22'.repeat(108))],
  ])('not so %s', async (_, content) => {
    expect((await walked(content)).reasons).toEqual([]);
  });

  it('no random bytes are taken for one', () => {
    let seed = 7;
    const next = () => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) >>> 24;
    const head = Buffer.alloc(512);
    let taken = 0;
    for (let run = 0; run < 20_000; run += 1) {
      for (let at = 0; at < 512; at += 1) head[at] = next();
      // The first byte of each packet in turn.
      head[0] = [0x84, 0x85, 0x86, 0xc1, 0x8c, 0x8d, 0xc3, 0xd2][run % 8]!;
      const found = sniffContainer(head);
      if (found?.kind === 'opaque' && found.isEncrypted === true) taken += 1;
    }
    // Sealed data without a key has a length and one byte to be known by: 1 in 256 of those that begin so, or less.
    expect(taken).toBeLessThan(20);
  });
});
