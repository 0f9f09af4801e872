import { deflateSync, gzipSync } from 'node:zlib';
import { tar, zip } from '../../../support/archives.js';
import { bzip2, zstd } from './compressors.js';

type Pack = (content: Buffer) => Buffer | Promise<Buffer>;
const mail = (content: Buffer) =>
  Buffer.from(
    `From: a\r\nContent-Type: application/octet-stream; name=x\r\nContent-Transfer-Encoding: base64\r\n\r\n${content.toString('base64')}\r\n`,
  );
const pdf = (content: Buffer) =>
  Buffer.concat([
    Buffer.from(
      `%PDF-1.7\n1 0 obj << /Filter /FlateDecode /Length ${deflateSync(content).length} >>\nstream\n`,
    ),
    deflateSync(content),
    Buffer.from('\nendstream\nendobj\n%%EOF\n'),
  ]);
/** Everything that is opened, around one file. */
export const CONTAINERS: Readonly<Record<string, Pack>> = {
  zip: (content) => zip([{ name: 'x', content }]),
  'stored zip': (content) => zip([{ name: 'x', content, stored: true }]),
  tar: (content) => tar({ x: content }),
  gz: (content) => gzipSync(content),
  tgz: async (content) => gzipSync(await tar({ x: content })),
  bz2: (content) => bzip2(content),
  'tar.bz2': async (content) => bzip2(await tar({ x: content })),
  zst: (content) => zstd(content),
  'tar.zst': async (content) => zstd(await tar({ x: content })),
  mail,
  pdf,
};
