import { crc32 as zlibCrc32 } from 'node:zlib';

/** A cyclic redundancy check: all of S3's are reflected, start with ones and end inverted. */
export interface Crc {
  readonly bits: 32 | 64;
  /** The reflected polynomial without its highest term. */
  readonly polynomial: bigint;
  /** A fresh running computation over one body. */
  start(): CrcRun;
}

interface CrcRun {
  update(bytes: Uint8Array): void;
  value(): bigint;
}

export const CRC32: Crc = {
  bits: 32,
  polynomial: 0xedb88320n,
  start: () => {
    let value = 0;
    return {
      update: (bytes) => {
        value = zlibCrc32(bytes, value);
      },
      value: () => BigInt(value),
    };
  },
};

export const CRC32C: Crc = { bits: 32, polynomial: 0x82f63b78n, start: () => startCrc32c() };

export const CRC64NVME: Crc = { bits: 64, polynomial: 0x9a6c9329ac4bc9b5n, start: () => startCrc64() };

/**
 * The CRC of two bodies put together, from their CRCs and the second one's length:
 * the first is multiplied by x^(8 * length) modulo the polynomial, then the second is added.
 */
export function combineCrc(crc: Crc, first: bigint, second: bigint, secondLength: number): bigint {
  let power = 1n << BigInt(crc.bits - 1); // x^0: the highest bit, since the bits are reflected
  let square = power >> 8n; // x^8: one byte
  for (let length = BigInt(secondLength); length > 0n; length >>= 1n) {
    if ((length & 1n) === 1n) power = multiply(crc, power, square);
    square = multiply(crc, square, square);
  }
  return multiply(crc, first, power) ^ second;
}

/** Multiplication of reflected polynomials modulo the CRC's own. */
function multiply(crc: Crc, a: bigint, b: bigint): bigint {
  let product = 0n;
  let shifted = b;
  for (let bit = 1n << BigInt(crc.bits - 1); bit > 0n; bit >>= 1n) {
    if ((a & bit) !== 0n) product ^= shifted;
    shifted = (shifted & 1n) === 1n ? (shifted >> 1n) ^ crc.polynomial : shifted >> 1n;
  }
  return product;
}

/** For each byte, and each byte that many places further from the end, its remainder. */
function sliceTables(polynomial: bigint, slices: number): bigint[][] {
  const first: bigint[] = [];
  for (let byte = 0n; byte < 256n; byte += 1n) {
    let value = byte;
    for (let bit = 0; bit < 8; bit += 1)
      value = (value & 1n) === 1n ? (value >> 1n) ^ polynomial : value >> 1n;
    first.push(value);
  }
  const tables = [first];
  for (let slice = 1; slice < slices; slice += 1) {
    tables.push(
      (tables[slice - 1] ?? []).map((value) => (value >> 8n) ^ (first[Number(value & 0xffn)] ?? 0n)),
    );
  }
  return tables;
}

/** Flattened to one typed array (table by table), which the inner loops index without checks. */
const flatten = (tables: bigint[][], shift: bigint): Int32Array =>
  Int32Array.from(tables.flat().map((value) => Number((value >> shift) & 0xffffffffn) | 0));

// Tables are made on first use: most processes never see these two algorithms.
let tables32c: Int32Array | undefined;
let tables64: { low: Int32Array; high: Int32Array } | undefined;

/** Four bytes at a time: about 900 MB/s here, against 350 MB/s byte by byte. */
function startCrc32c(): CrcRun {
  const t = (tables32c ??= flatten(sliceTables(CRC32C.polynomial, 4), 0n));
  let crc = -1;
  return {
    update: (bytes) => {
      let c = crc;
      let i = 0;
      for (const end = bytes.length - 3; i < end; i += 4) {
        c ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
        c = t[768 + (c & 255)]! ^ t[512 + ((c >>> 8) & 255)]! ^ t[256 + ((c >>> 16) & 255)]! ^ t[c >>> 24]!;
      }
      for (; i < bytes.length; i += 1) c = t[(c ^ bytes[i]!) & 255]! ^ (c >>> 8);
      crc = c;
    },
    value: () => BigInt(~crc >>> 0),
  };
}

/** Eight bytes at a time in two 32-bit halves, since BigInt arithmetic is some hundred times slower. */
function startCrc64(): CrcRun {
  const { low, high } = (tables64 ??= makeTables64());
  let lo = -1;
  let hi = -1;
  return {
    update: (bytes) => {
      let i = 0;
      for (const end = bytes.length - 7; i < end; i += 8) {
        lo ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
        hi ^= bytes[i + 4]! | (bytes[i + 5]! << 8) | (bytes[i + 6]! << 16) | (bytes[i + 7]! << 24);
        const a = 1792 + (lo & 255);
        const b = 1536 + ((lo >>> 8) & 255);
        const c = 1280 + ((lo >>> 16) & 255);
        const d = 1024 + (lo >>> 24);
        const e = 768 + (hi & 255);
        const f = 512 + ((hi >>> 8) & 255);
        const g = 256 + ((hi >>> 16) & 255);
        const h = hi >>> 24;
        lo = low[a]! ^ low[b]! ^ low[c]! ^ low[d]! ^ low[e]! ^ low[f]! ^ low[g]! ^ low[h]!;
        hi = high[a]! ^ high[b]! ^ high[c]! ^ high[d]! ^ high[e]! ^ high[f]! ^ high[g]! ^ high[h]!;
      }
      for (; i < bytes.length; i += 1) {
        const at = (lo ^ bytes[i]!) & 255;
        lo = ((lo >>> 8) | (hi << 24)) ^ low[at]!;
        hi = (hi >>> 8) ^ high[at]!;
      }
    },
    value: () => (BigInt(~hi >>> 0) << 32n) | BigInt(~lo >>> 0),
  };
}

function makeTables64(): { low: Int32Array; high: Int32Array } {
  const tables = sliceTables(CRC64NVME.polynomial, 8);
  return { low: flatten(tables, 0n), high: flatten(tables, 32n) };
}
