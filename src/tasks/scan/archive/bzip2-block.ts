import { CannotUnpack } from './budget.js';
import { corrupt, crcOf, readCodeTable, type BitReader, type CodeTable } from './bzip2-tables.js';
import type { Out } from './unpacker.js';

// Every so many symbols another table may be used.
const GROUP = 50;
const OUT_BYTES = 64 * 1024;

/** One block between its header and its text: sorted, moved to the front and packed. */
export interface Block {
  readonly crc: number;
  readonly bytes: number;
  readonly start: number;
}

/**
 * Reads a block up to its end mark into `sorted`: the byte in the low eight bits, where to go on above.
 * @throws CannotUnpack
 */
export function readBlock(reader: BitReader, sorted: Uint32Array): Block {
  const crc = reader.read32();
  if (reader.read(1) === 1) throw new CannotUnpack('unsupported', 'bzip2: a block of before version 0.9.5');
  const start = reader.read(24);
  const used = readUsedBytes(reader);
  const { tables, selectors } = readTables(reader, used.length + 2);
  const bytes = readSymbols(reader, { used, tables, selectors }, sorted);
  if (start >= bytes) throw corrupt('a block that begins outside itself');
  link(sorted, bytes);
  return { crc, bytes, start };
}

function readUsedBytes(reader: BitReader): Uint8Array {
  const groups = reader.read(16);
  const used: number[] = [];
  for (let group = 0; group < 16; group += 1) {
    if ((groups & (0x8000 >> group)) === 0) continue;
    const bits = reader.read(16);
    for (let bit = 0; bit < 16; bit += 1) if ((bits & (0x8000 >> bit)) !== 0) used.push(group * 16 + bit);
  }
  if (used.length === 0) throw corrupt('a block without bytes');
  return Uint8Array.from(used);
}

function readTables(reader: BitReader, symbols: number): { tables: CodeTable[]; selectors: Uint8Array } {
  const count = reader.read(3);
  const selectorCount = reader.read(15);
  if (count < 2 || count > 6 || selectorCount < 1) throw corrupt('an impossible number of tables');
  const order = [0, 1, 2, 3, 4, 5].slice(0, count);
  const selectors = new Uint8Array(selectorCount);
  for (let at = 0; at < selectorCount; at += 1) {
    let place = 0;
    while (reader.read(1) === 1) {
      place += 1;
      if (place >= count) throw corrupt('a table that is not there');
    }
    const [chosen = 0] = order.splice(place, 1);
    order.unshift(chosen);
    selectors[at] = chosen;
  }
  return { tables: order.map(() => readCodeTable(reader, symbols)), selectors };
}

interface Coding {
  readonly used: Uint8Array;
  readonly tables: readonly CodeTable[];
  readonly selectors: Uint8Array;
}

/** Undoes the codes, the runs and the moving to the front. */
function readSymbols(reader: BitReader, { used, tables, selectors }: Coding, sorted: Uint32Array): number {
  const front = Uint8Array.from(used);
  const endMark = used.length + 1;
  let bytes = 0;
  let run = 0;
  let weight = 1;
  for (const selector of selectors) {
    const table = tables[selector] as CodeTable;
    for (let left = GROUP; left > 0; left -= 1) {
      const symbol = table.next(reader);
      if (symbol <= 1) {
        run += weight << symbol;
        weight <<= 1;
        if (run > sorted.length) throw corrupt('a block that is too long');
        continue;
      }
      if (run > 0) {
        if (bytes + run > sorted.length) throw corrupt('a block that is too long');
        sorted.fill(front[0] ?? 0, bytes, bytes + run);
        bytes += run;
        run = 0;
        weight = 1;
      }
      if (symbol === endMark) return bytes;
      if (bytes >= sorted.length) throw corrupt('a block that is too long');
      const byte = front[symbol - 1] ?? 0;
      front.copyWithin(1, 0, symbol - 1);
      front[0] = byte;
      sorted[bytes] = byte;
      bytes += 1;
    }
    if (reader.isPastEnd) throw corrupt('it ends too early');
  }
  throw corrupt('a block without an end');
}

/** Turns the sorted bytes into a chain that gives the text (Burrows and Wheeler). */
function link(sorted: Uint32Array, bytes: number): void {
  const places = new Uint32Array(256);
  for (let at = 0; at < bytes; at += 1)
    places[(sorted[at] ?? 0) & 0xff] = (places[(sorted[at] ?? 0) & 0xff] ?? 0) + 1;
  let sum = 0;
  for (let byte = 0; byte < 256; byte += 1) {
    const count = places[byte] ?? 0;
    places[byte] = sum;
    sum += count;
  }
  for (let at = 0; at < bytes; at += 1) {
    const byte = (sorted[at] ?? 0) & 0xff;
    const place = places[byte] ?? 0;
    places[byte] = place + 1;
    sorted[place] = ((sorted[place] ?? 0) | (at << 8)) >>> 0;
  }
}

/** Gives the block's text in pieces; four equal bytes are followed by how many more there are. @throws CannotUnpack */
export async function writeBlock(sorted: Uint32Array, block: Block, out: Out): Promise<void> {
  let crc = 0xff_ff_ff_ff;
  let piece = Buffer.allocUnsafe(OUT_BYTES);
  let filled = 0;
  const flush = async (): Promise<void> => {
    const ready = piece.subarray(0, filled);
    crc = crcOf(ready, crc);
    piece = Buffer.allocUnsafe(OUT_BYTES);
    filled = 0;
    if (ready.length > 0) await out(ready);
  };
  let next = (sorted[block.start] ?? 0) >>> 8;
  let last = -1;
  let equal = 0;
  for (let left = block.bytes; left > 0; left -= 1) {
    const step = sorted[next] ?? 0;
    const byte = step & 0xff;
    next = step >>> 8;
    if (equal === 4) {
      equal = 0;
      if (filled + byte > OUT_BYTES) await flush();
      piece.fill(last, filled, filled + byte);
      filled += byte;
      last = -1;
      continue;
    }
    equal = byte === last ? equal + 1 : 1;
    last = byte;
    if (filled === OUT_BYTES) await flush();
    piece[filled] = byte;
    filled += 1;
  }
  await flush();
  if ((crc ^ 0xff_ff_ff_ff) >>> 0 !== block.crc) throw corrupt('a block differs from its checksum');
}
