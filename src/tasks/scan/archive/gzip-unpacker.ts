import { crc32 } from 'node:zlib';
import { CannotUnpack } from './budget.js';
import { Deflate } from './deflate.js';
import type { Out, Unpacker } from './unpacker.js';

const FIXED_BYTES = 10;
const TRAILER_BYTES = 8;
// 64 KB of extra fields, and names and comments that are longer than any.
const LONGEST_HEADER_BYTES = 256 * 1024;
const HEADER_CRC = 2;
const EXTRA = 4;
const NAME = 8;
const COMMENT = 16;
const RESERVED = 0xe0;

/**
 * Unpacks gzip (RFC 1952), members that follow one another included; zeros may follow as padding. Whatever is wrong with
 * a checksum or follows behind is said after everything that unpacked was given out.
 */
export class GzipUnpacker implements Unpacker {
  private part: 'header' | 'deflate' | 'trailer' | 'padding' = 'header';
  /** What came of a header or a trailer. */
  private held: Buffer = Buffer.alloc(0);
  private deflate: Deflate | undefined;
  private hasMember = false;
  private crc = 0;
  private outBytes = 0;

  async write(chunk: Buffer, out: Out): Promise<void> {
    let rest = chunk;
    while (rest.length > 0) {
      switch (this.part) {
        case 'header':
          rest = this.header(rest);
          break;
        case 'deflate':
          rest = await this.body(rest, out);
          break;
        case 'trailer':
          rest = this.trailer(rest);
          break;
        case 'padding':
          if (rest.some((byte) => byte !== 0)) throw corrupt('something follows after its end');
          return;
        default:
          this.part satisfies never;
      }
    }
  }

  async end(): Promise<void> {
    const isBetween = this.part === 'padding' || (this.part === 'header' && this.held.length === 0);
    if (!this.hasMember || !isBetween) throw corrupt('it ends too early');
    return Promise.resolve();
  }

  close(): void {
    this.deflate?.close();
    this.deflate = undefined;
  }

  private header(bytes: Buffer): Buffer {
    if (this.hasMember && this.held.length === 0 && bytes[0] === 0) {
      this.part = 'padding';
      return bytes;
    }
    const before = this.held.length;
    const head = before === 0 ? bytes : Buffer.concat([this.held, bytes]);
    const isGzip = head[0] === 0x1f && (head.length === 1 || head[1] === 0x8b);
    if (!isGzip) throw corrupt(this.hasMember ? 'something follows after its end' : 'it has no header');
    const length = headerBytes(head);
    if (length === undefined) {
      if (head.length > LONGEST_HEADER_BYTES)
        throw new CannotUnpack('limit', 'gzip: its header does not end');
      this.held = Buffer.from(head);
      return Buffer.alloc(0);
    }
    this.held = Buffer.alloc(0);
    this.part = 'deflate';
    this.deflate = new Deflate('gzip');
    this.crc = 0;
    this.outBytes = 0;
    return head.subarray(length);
  }

  private async body(bytes: Buffer, out: Out): Promise<Buffer> {
    const rest = await this.deflate?.write(bytes, async (unpacked) => {
      this.crc = crc32(unpacked, this.crc);
      this.outBytes = (this.outBytes + unpacked.length) % 2 ** 32;
      await out(unpacked);
    });
    if (rest === undefined) return Buffer.alloc(0);
    this.close();
    this.part = 'trailer';
    return rest;
  }

  private trailer(bytes: Buffer): Buffer {
    const taken = Math.min(TRAILER_BYTES - this.held.length, bytes.length);
    this.held = Buffer.concat([this.held, bytes.subarray(0, taken)]);
    if (this.held.length < TRAILER_BYTES) return Buffer.alloc(0);
    if (this.held.readUInt32LE(0) !== this.crc) throw corrupt('it differs from its checksum');
    if (this.held.readUInt32LE(4) !== this.outBytes) throw corrupt('it differs from its size');
    this.held = Buffer.alloc(0);
    this.hasMember = true;
    this.part = 'header';
    return bytes.subarray(taken);
  }
}

/** `undefined` as long as it is not complete. @throws CannotUnpack */
function headerBytes(head: Buffer): number | undefined {
  const [method = 8, flags = 0] = [head[2], head[3]];
  if (method !== 8) throw corrupt(`method ${method}`);
  if ((flags & RESERVED) !== 0) throw corrupt('unknown flags');
  if (head.length < FIXED_BYTES) return undefined;
  let at = FIXED_BYTES;
  if ((flags & EXTRA) !== 0) {
    if (head.length < at + 2) return undefined;
    at += 2 + head.readUInt16LE(at);
  }
  for (const text of [NAME, COMMENT]) {
    if ((flags & text) === 0) continue;
    const zeroAt = at < head.length ? head.indexOf(0, at) : -1;
    if (zeroAt < 0) return undefined;
    at = zeroAt + 1;
  }
  if ((flags & HEADER_CRC) !== 0) {
    if (head.length < at + 2) return undefined;
    if (head.readUInt16LE(at) !== (crc32(head.subarray(0, at)) & 0xffff))
      throw corrupt('its header differs from its checksum');
    at += 2;
  }
  return at <= head.length ? at : undefined;
}

const corrupt = (what: string) => new CannotUnpack('corrupt', `gzip: ${what}`);
