import type { Budget } from './budget.js';
import { readBlock, writeBlock } from './bzip2-block.js';
import { BitReader, corrupt } from './bzip2-tables.js';
import type { Out, Unpacker } from './unpacker.js';

const BLOCK_UNIT = 100_000;
const HEADER_BYTES = 4;
// What stands before the symbols of a block: checksum, used bytes, 32,767 selectors of six bits, six tables.
const BLOCK_HEAD_BYTES = 64 * 1024;
// The longest code.
const SYMBOL_BITS = 20;
const BLOCK_MARK = [0x314159, 0x265359] as const;
const END_MARK = [0x177245, 0x385090] as const;

/**
 * Unpacks bzip2, streams that follow one another included; zeros may follow as padding.
 *
 * It waits until the longest possible block is there and unpacks it at once: no state to keep within a block, and what
 * is in memory depends on the level alone. unbzip2-stream, the usual library, gives no backpressure: 64 KB that unpack to
 * gigabytes would all be in memory, and it takes whatever follows a stream for its end.
 */
export class Bzip2Unpacker implements Unpacker {
  private input: Buffer = Buffer.alloc(0);
  private filled = 0;
  /** Bits that are unpacked already. */
  private at = 0;
  private level = 0;
  private crc = 0;
  private isPadding = false;
  private hasStream = false;
  private sorted: Uint32Array | undefined;
  private heldBytes = 0;

  constructor(private readonly budget: Budget) {}

  async write(chunk: Buffer, out: Out): Promise<void> {
    // Never more than one block's worth at once, whatever the size of the chunk.
    for (let from = 0; from < chunk.length; from += BLOCK_UNIT) {
      this.append(chunk.subarray(from, from + BLOCK_UNIT));
      await this.unpack(out, false);
    }
  }

  async end(out: Out): Promise<void> {
    await this.unpack(out, true);
    if (this.level > 0 || !this.hasStream) throw corrupt('it ends too early');
  }

  close(): void {
    this.budget.release(this.heldBytes);
    this.heldBytes = 0;
    this.sorted = undefined;
    this.input = Buffer.alloc(0);
    this.filled = 0;
    this.at = 0;
  }

  private append(chunk: Buffer): void {
    const used = this.at >>> 3;
    if (this.filled + chunk.length > this.input.length) {
      const kept = this.filled - used;
      // Twice what is needed, so that what is kept is seldom moved.
      const room =
        kept + chunk.length > this.input.length / 2 ? 2 * (kept + chunk.length) : this.input.length;
      const moved = Buffer.alloc(room);
      this.input.copy(moved, 0, used, this.filled);
      this.input = moved;
      this.filled = kept;
      this.at &= 7;
    }
    chunk.copy(this.input, this.filled);
    this.filled += chunk.length;
  }

  private async unpack(out: Out, isEnd: boolean): Promise<void> {
    for (;;) {
      const left = this.filled - (this.at >>> 3);
      if (this.level === 0) {
        if (left === 0 || (left < HEADER_BYTES && !isEnd && !this.isPadding)) return;
        this.begin();
      } else {
        if (left < this.blockBytes() && !isEnd) return;
        await this.block(out);
      }
    }
  }

  /** The longest that a block of this level, or the end of the stream, can be. */
  private blockBytes(): number {
    return BLOCK_HEAD_BYTES + Math.ceil((this.level * BLOCK_UNIT * SYMBOL_BITS) / 8);
  }

  private begin(): void {
    const from = this.at >>> 3;
    const rest = this.input.subarray(from, this.filled);
    if (this.isPadding || (this.hasStream && rest[0] === 0)) {
      if (rest.some((byte) => byte !== 0)) throw corrupt('something follows after its end');
      this.isPadding = true;
      this.at = this.filled * 8;
      return;
    }
    const [level] = /^BZh([1-9])/.exec(rest.toString('latin1', 0, HEADER_BYTES))?.slice(1) ?? [];
    if (level === undefined) {
      throw corrupt(this.hasStream ? 'something follows after its end' : 'it has no header');
    }
    this.level = Number(level);
    this.crc = 0;
    this.at += HEADER_BYTES * 8;
    const cells = this.level * BLOCK_UNIT;
    if (this.sorted === undefined || this.sorted.length < cells) {
      this.budget.release(this.heldBytes);
      this.heldBytes = 0;
      this.budget.hold(4 * cells + this.blockBytes());
      this.heldBytes = 4 * cells + this.blockBytes();
      this.sorted = new Uint32Array(cells);
    }
  }

  private async block(out: Out): Promise<void> {
    const reader = new BitReader(this.input, this.at, this.filled);
    const mark = [reader.read(24), reader.read(24)];
    const isEnd = mark[0] === END_MARK[0] && mark[1] === END_MARK[1];
    if (!isEnd && (mark[0] !== BLOCK_MARK[0] || mark[1] !== BLOCK_MARK[1])) {
      throw corrupt(reader.isPastEnd ? 'it ends too early' : 'a block without its mark');
    }
    if (isEnd) {
      const crc = reader.read32();
      if (reader.isPastEnd) throw corrupt('it ends too early');
      if (crc !== this.crc) throw corrupt('it differs from its checksum');
      this.at = Math.ceil(reader.at / 8) * 8;
      this.level = 0;
      this.hasStream = true;
      return;
    }
    const sorted = (this.sorted as Uint32Array).subarray(0, this.level * BLOCK_UNIT);
    const block = readBlock(reader, sorted);
    if (reader.isPastEnd) throw corrupt('it ends too early');
    this.at = reader.at;
    this.crc = (((this.crc << 1) | (this.crc >>> 31)) ^ block.crc) >>> 0;
    // A block is long work; others have their turn before it goes on.
    await immediate();
    await writeBlock(sorted, block, out);
  }
}

const immediate = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
