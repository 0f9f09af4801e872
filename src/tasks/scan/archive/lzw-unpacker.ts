import { CannotUnpack } from './budget.js';
import { isWhite } from './inflate-unpacker.js';
import type { Out, Unpacker } from './unpacker.js';

const CLEAR = 256;
const END = 257;
const FIRST = 258;
const CODES = 4096;
const OUT_BYTES = 64 * 1024;

/** Unpacks LZW as PDF and TIFF have it: the highest bit first, codes of 9 to 12 bits. */
export class LzwUnpacker implements Unpacker {
  private readonly before = new Uint16Array(CODES);
  private readonly lasts = new Uint8Array(CODES);
  private readonly lengths = new Uint16Array(CODES);
  private next = FIRST;
  private width = 9;
  private previous = -1;
  private bits = 0;
  private bitCount = 0;
  private isOver = false;
  private piece = Buffer.allocUnsafe(OUT_BYTES);
  private filled = 0;

  /** @param early codes become longer one entry before they must. */
  constructor(private readonly early: boolean) {
    for (let byte = 0; byte < 256; byte += 1) {
      this.lasts[byte] = byte;
      this.lengths[byte] = 1;
    }
  }

  async write(chunk: Buffer, out: Out): Promise<void> {
    for (const byte of chunk) {
      if (this.isOver) {
        if (!isWhite(byte)) throw corrupt('something follows after its end');
        continue;
      }
      this.bits = ((this.bits << 8) | byte) & 0xff_ff_ff;
      this.bitCount += 8;
      while (this.bitCount >= this.width && !this.isOver) {
        this.bitCount -= this.width;
        const code = (this.bits >>> this.bitCount) & ((1 << this.width) - 1);
        if (this.filled + CODES > OUT_BYTES) await this.flush(out);
        this.take(code);
      }
    }
    await this.flush(out);
  }

  async end(out: Out): Promise<void> {
    await this.flush(out);
  }

  close(): void {
    this.isOver = true;
  }

  private async flush(out: Out): Promise<void> {
    const ready = this.piece.subarray(0, this.filled);
    if (ready.length === 0) return;
    this.piece = Buffer.allocUnsafe(OUT_BYTES);
    this.filled = 0;
    await out(ready);
  }

  private take(code: number): void {
    if (code === END) {
      this.isOver = true;
      return;
    }
    if (code === CLEAR) {
      this.next = FIRST;
      this.width = 9;
      this.previous = -1;
      return;
    }
    if (code > this.next || (code >= FIRST && this.previous < 0))
      throw corrupt('a code that is not there yet');
    if (code === this.next && this.next >= CODES) throw corrupt('too many codes');
    if (this.previous >= 0 && this.next < CODES) {
      // The code may be the one that is being made: the previous text and its own first byte.
      this.before[this.next] = this.previous;
      this.lengths[this.next] = (this.lengths[this.previous] ?? 0) + 1;
      this.lasts[this.next] = this.firstOf(code === this.next ? this.previous : code);
      this.next += 1;
    }
    this.emit(code);
    this.previous = code;
    const reached = this.next + (this.early ? 1 : 0);
    if (reached >= 2048) this.width = 12;
    else if (reached >= 1024) this.width = 11;
    else if (reached >= 512) this.width = 10;
  }

  private firstOf(code: number): number {
    let at = code;
    while (at >= FIRST) at = this.before[at] ?? 0;
    return at;
  }

  private emit(code: number): void {
    const length = this.lengths[code] ?? 0;
    let at = code;
    for (let place = this.filled + length - 1; place >= this.filled; place -= 1) {
      this.piece[place] = this.lasts[at] ?? 0;
      at = this.before[at] ?? 0;
    }
    this.filled += length;
  }
}

const corrupt = (what: string) => new CannotUnpack('corrupt', `lzw: ${what}`);
