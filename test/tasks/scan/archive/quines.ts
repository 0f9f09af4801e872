import { crc32 } from 'node:zlib';

/*
 * Archives that hold themselves, after Russ Cox, "Zip Files All The Way Down" (2010): a program of two instructions, to
 * print what follows and to print again what was printed last, that prints its own text. Here both take ten bytes of
 * deflate, whatever their number.
 */
const UNIT = 10;
const NOTHING = Buffer.from('000000ffff', 'hex');
const LAST = Buffer.from('010000ffff', 'hex');

/** Prints the next `bytes`. */
function literal(bytes: number): Buffer {
  const block = Buffer.alloc(5);
  block.writeUInt16LE(bytes, 1);
  block.writeUInt16LE(bytes ^ 0xffff, 3);
  return Buffer.concat([NOTHING, block]);
}

/** Prints the last `bytes` again: one or two matches, and blocks of nothing, that fill six bytes with the next block's head. */
function repeat(bytes: number): Buffer {
  for (let first = 3; first <= bytes; first = first === bytes - 3 ? bytes : first + 1) {
    const matches = match(first, bytes) + (first < bytes ? match(bytes - first, bytes) : '');
    for (const blocks of ['', EMPTY_BLOCK, EMPTY_BLOCK + EMPTY_BLOCK]) {
      const bits = `010${matches}0000000${blocks}000`;
      if (bits.length > 40 && bits.length <= 48)
        return Buffer.concat([packed(bits.padEnd(48, '0')), NOTHING.subarray(1)]);
    }
  }
  throw new Error(`no matches of ${bytes} bytes fill six bytes`);
}

// Of fixed codes, with its end alone.
const EMPTY_BLOCK = '0100000000';

/** A match as RFC 1951, 3.2.5 and 3.2.6, as bits in the order in which they are sent. */
function match(length: number, distance: number): string {
  const [lengthCode, lengthBits, lengthRest] = codeOf(length - 3, 4);
  const [distanceCode, distanceBits, distanceRest] = codeOf(distance - 1, 2);
  // Codes 257 to 279 have seven bits; their numbers begin at 1.
  const symbol = (lengthCode + 1).toString(2).padStart(7, '0');
  return (
    symbol +
    sent(lengthRest, lengthBits) +
    distanceCode.toString(2).padStart(5, '0') +
    sent(distanceRest, distanceBits)
  );
}

/** Both tables grow alike: so many codes without extra bits twice over, then as many for each further bit. */
function codeOf(value: number, group: number): [code: number, extraBits: number, rest: number] {
  if (value < 2 * group) return [value, 0, 0];
  const extra = Math.floor(Math.log2(value / group));
  return [group * extra + (value >> extra), extra, value & ((1 << extra) - 1)];
}

/** Numbers go from their lowest bit on. */
const sent = (value: number, bits: number): string =>
  bits === 0 ? '' : reversed(value.toString(2).padStart(bits, '0'));

const reversed = (bits: string): string => bits.split('').toReversed().join('');

const packed = (bits: string): Buffer =>
  Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(reversed(byte), 2)));

/** @param before and @param after what stands around the packed bytes; `after` begins with their last block. */
function program(before: Buffer, after: Buffer): Buffer {
  const [p, s] = [before.length + UNIT, after.length + UNIT];
  const [L1, L4, R4, L0] = [literal(UNIT), literal(4 * UNIT), repeat(4 * UNIT), literal(0)];
  const lines = [
    [before, literal(p), before, literal(p), repeat(p)],
    [L1, repeat(p), L1, L1],
    [L4, repeat(p), L1, L1, L4, R4],
    [L4, R4, L4, R4, L4, R4],
    [L4, R4, L0, L0, literal(s), R4],
    [L0, L0, literal(s), repeat(s), after, repeat(s), after],
  ];
  return Buffer.concat(lines.flat());
}

/** The checksum that a file has which holds it: each bit of it changes the result by itself, so it is solved for. */
function withOwnChecksum(make: (crc: number) => Buffer): Buffer {
  const base = crc32(make(0));
  const columns = Array.from(
    { length: 32 },
    (_, bit) => (crc32(make((1 << bit) >>> 0)) ^ base ^ (1 << bit)) >>> 0,
  );
  // Rows of (A + I) x = base over the field of two elements, the right side in bit 32.
  const rows = Array.from({ length: 32 }, (_, row) =>
    columns.reduce(
      (sum, column, bit) => sum | (BigInt((column >>> row) & 1) << BigInt(bit)),
      BigInt((base >>> row) & 1) << 32n,
    ),
  );
  for (let bit = 0; bit < 32; bit += 1) {
    const at = rows.findIndex((row, n) => n >= bit && ((row >> BigInt(bit)) & 1n) === 1n);
    if (at < 0) throw new Error('no checksum fits: change a letter');
    [rows[bit], rows[at]] = [rows[at]!, rows[bit]!];
    for (let n = 0; n < 32; n += 1)
      if (n !== bit && ((rows[n]! >> BigInt(bit)) & 1n) === 1n) rows[n]! ^= rows[bit]!;
  }
  const crc = rows.reduce((sum, row, bit) => (sum | (Number((row >> 32n) & 1n) << bit)) >>> 0, 0);
  return make(crc);
}

/** A gzip that unpacks to itself. */
export function gzipQuine(): Buffer {
  const before = Buffer.from('1f8b08000000000000ff', 'hex');
  const make = (crc: number): Buffer => {
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(crc);
    trailer.writeUInt32LE(program(before, Buffer.concat([LAST, trailer])).length, 4);
    return program(before, Buffer.concat([LAST, trailer]));
  };
  return withOwnChecksum(make);
}

/** A zip whose only member is the zip. */
export function zipQuine(name = 'all/the/way/down.zip'): Buffer {
  const nameBytes = Buffer.from(name);
  const make = (crc: number): Buffer => {
    const headers = (packedBytes: number, bytes: number) => {
      const shared = Buffer.alloc(26);
      shared.writeUInt16LE(20, 0);
      shared.writeUInt16LE(8, 4);
      shared.writeUInt16LE(0x21, 8);
      shared.writeUInt32LE(crc, 10);
      shared.writeUInt32LE(packedBytes, 14);
      shared.writeUInt32LE(bytes, 18);
      shared.writeUInt16LE(nameBytes.length, 22);
      const before = Buffer.concat([Buffer.from('504b0304', 'hex'), shared, nameBytes]);
      const listed = Buffer.concat([Buffer.from('504b01021400', 'hex'), shared, Buffer.alloc(14), nameBytes]);
      const end = Buffer.alloc(22);
      end.writeUInt32LE(0x06_05_4b_50, 0);
      end.writeUInt16LE(1, 8);
      end.writeUInt16LE(1, 10);
      end.writeUInt32LE(listed.length, 12);
      end.writeUInt32LE(before.length + packedBytes, 16);
      return { before, after: Buffer.concat([LAST, listed, end]) };
    };
    const draft = headers(0, 0);
    const bytes = program(draft.before, draft.after).length;
    const { before, after } = headers(
      bytes - draft.before.length - (draft.after.length - LAST.length),
      bytes,
    );
    return program(before, after);
  };
  return withOwnChecksum(make);
}
