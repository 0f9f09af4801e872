import { CannotUnpack } from './budget.js';

export const corrupt = (what: string): CannotUnpack => new CannotUnpack('corrupt', `bzip2: ${what}`);

/** Reads bits, the highest first. Past the end it reads whatever is there: who reads asks `isPastEnd` when done. */
export class BitReader {
  constructor(
    readonly bytes: Buffer,
    public at: number,
    private readonly endByte: number,
  ) {}

  get isPastEnd(): boolean {
    return this.at > this.endByte * 8;
  }

  /** Up to 24 bits. */
  peek(count: number): number {
    const { bytes, at } = this;
    const from = at >>> 3;
    const word =
      (((bytes[from] ?? 0) << 24) |
        ((bytes[from + 1] ?? 0) << 16) |
        ((bytes[from + 2] ?? 0) << 8) |
        (bytes[from + 3] ?? 0)) <<
      (at & 7);
    return word >>> (32 - count);
  }

  read(count: number): number {
    const value = this.peek(count);
    this.at += count;
    return value;
  }

  read32(): number {
    return ((this.read(16) << 16) | this.read(16)) >>> 0;
  }
}

const LONGEST_CODE = 20;

/** One Huffman table, as bzip2's own decoder keeps it. */
export class CodeTable {
  private readonly limit = new Int32Array(LONGEST_CODE + 2);
  private readonly base = new Int32Array(LONGEST_CODE + 2);
  private readonly symbols: Uint16Array;
  private readonly shortest: number;

  constructor(lengths: Uint8Array) {
    this.symbols = new Uint16Array(lengths.length);
    let filled = 0;
    let code = 0;
    this.shortest = Math.min(...lengths);
    for (let length = this.shortest; length <= LONGEST_CODE; length += 1) {
      this.base[length] = filled - code;
      for (let symbol = 0; symbol < lengths.length; symbol += 1) {
        if (lengths[symbol] !== length) continue;
        this.symbols[filled] = symbol;
        filled += 1;
        code += 1;
      }
      // Left-aligned to the longest code, so that one peek decides the length.
      this.limit[length] = code << (LONGEST_CODE - length);
      code <<= 1;
    }
  }

  /** @throws CannotUnpack for bits that are no code */
  next(reader: BitReader): number {
    const bits = reader.peek(LONGEST_CODE);
    const { limit } = this;
    let length = this.shortest;
    while (length <= LONGEST_CODE && bits >= (limit[length] ?? 0)) length += 1;
    if (length > LONGEST_CODE) throw corrupt('a code that no table has');
    reader.at += length;
    const symbol = this.symbols[(this.base[length] ?? 0) + (bits >>> (LONGEST_CODE - length))];
    if (symbol === undefined) throw corrupt('a code that no table has');
    return symbol;
  }
}

/** The code lengths of one table: each is told by its difference to the one before. */
export function readCodeTable(reader: BitReader, symbols: number): CodeTable {
  const lengths = new Uint8Array(symbols);
  let length = reader.read(5);
  for (let symbol = 0; symbol < symbols; symbol += 1) {
    for (;;) {
      if (length < 1 || length > LONGEST_CODE || reader.isPastEnd)
        throw corrupt('a code length out of range');
      if (reader.read(1) === 0) break;
      length += reader.read(1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  return new CodeTable(lengths);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0);
  return crc >>> 0;
});

/** bzip2's checksum, which takes the highest bit first. */
export function crcOf(bytes: Buffer, before: number): number {
  let crc = before;
  for (let at = 0; at < bytes.length; at += 1)
    crc = (crc << 8) ^ (CRC_TABLE[((crc >>> 24) ^ (bytes[at] ?? 0)) & 0xff] ?? 0);
  return crc >>> 0;
}
