import { CannotUnpack } from './budget.js';
import { Deflate } from './deflate.js';
import type { Out, Unpacker } from './unpacker.js';

const HEADER_BYTES = 2;
const TRAILER_BYTES = 4;
const DICTIONARY = 0x20;
// The most bytes that can be added up before a sum must be reduced (as in zlib).
const ADDED_BYTES = 5552;
const ADLER_BASE = 65_521;

/**
 * Unpacks zlib's format (RFC 1950); only white space may follow. Whatever is wrong with its checksum or follows behind is
 * said after everything that unpacked was given out.
 */
export class InflateUnpacker implements Unpacker {
  private part: 'header' | 'deflate' | 'trailer' | 'over' = 'header';
  /** What came of the header or the trailer. */
  private held: Buffer = Buffer.alloc(0);
  private readonly deflate = new Deflate('deflate');
  private low = 1;
  private high = 0;

  async write(chunk: Buffer, out: Out): Promise<void> {
    let rest = chunk;
    if (this.part === 'header') {
      rest = this.gather(rest, HEADER_BYTES);
      if (this.held.length < HEADER_BYTES) return;
      this.header();
    }
    if (this.part === 'deflate') {
      const behind = await this.deflate.write(rest, async (bytes) => {
        this.add(bytes);
        await out(bytes);
      });
      if (behind === undefined) return;
      this.part = 'trailer';
      rest = behind;
    }
    if (this.part === 'trailer') {
      rest = this.gather(rest, TRAILER_BYTES);
      if (this.held.length < TRAILER_BYTES) return;
      this.trailer();
    }
    if (!rest.every(isWhite)) throw corrupt('something follows after its end');
  }

  async end(): Promise<void> {
    if (this.part !== 'over') throw corrupt('it ends too early');
    return Promise.resolve();
  }

  close(): void {
    this.deflate.close();
  }

  private gather(bytes: Buffer, length: number): Buffer {
    const taken = Math.min(length - this.held.length, bytes.length);
    this.held = Buffer.concat([this.held, bytes.subarray(0, taken)]);
    return bytes.subarray(taken);
  }

  private header(): void {
    const [method = 0, flags = 0] = this.held;
    const isKnown = (method & 15) === 8 && method >>> 4 <= 7 && (method * 256 + flags) % 31 === 0;
    if (!isKnown) throw corrupt('it has no header');
    if ((flags & DICTIONARY) !== 0)
      throw new CannotUnpack('unsupported', 'deflate: packed with a dictionary');
    this.held = Buffer.alloc(0);
    this.part = 'deflate';
  }

  private trailer(): void {
    if (this.held.readUInt32BE(0) !== this.high * 65_536 + this.low)
      throw corrupt('it differs from its checksum');
    this.part = 'over';
  }

  /** Adler-32. */
  private add(bytes: Buffer): void {
    let { low, high } = this;
    for (let from = 0; from < bytes.length; from += ADDED_BYTES) {
      const to = Math.min(bytes.length, from + ADDED_BYTES);
      for (let at = from; at < to; at += 1) {
        low += bytes[at] as number;
        high += low;
      }
      low %= ADLER_BASE;
      high %= ADLER_BASE;
    }
    this.low = low;
    this.high = high;
  }
}

/** White space as PDF has it. */
export const isWhite = (byte: number): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09 || byte === 0x0c || byte === 0;

const corrupt = (what: string) => new CannotUnpack('corrupt', `deflate: ${what}`);
