/** A zstd frame of raw blocks, and of one run for each `runs` (a byte so many times). */
export function zstd(
  content: Buffer | string,
  options: {
    windowLog?: number;
    dictionary?: number;
    runs?: readonly (readonly [byte: number, times: number])[];
  } = {},
): Buffer {
  const bytes = Buffer.from(content);
  const { windowLog = 17, dictionary = 0, runs = [] } = options;
  const parts: Buffer[] = [
    Buffer.from('28b52ffd', 'hex'),
    Buffer.from([dictionary > 0 ? 1 : 0, (windowLog - 10) << 3]),
  ];
  if (dictionary > 0) parts.push(Buffer.from([dictionary]));
  const block = (type: number, size: number, data: Buffer, isLast = false) => {
    const head = Buffer.alloc(3);
    head.writeUIntLE((size << 3) | (type << 1) | (isLast ? 1 : 0), 0, 3);
    parts.push(head, data);
  };
  // At most as much as the window, and never more than 128 KB (RFC 8878, 3.1.1.2.4).
  const step = Math.min(2 ** windowLog, 128 * 1024);
  for (let at = 0; at < bytes.length; at += step) {
    const piece = bytes.subarray(at, at + step);
    block(0, piece.length, piece);
  }
  for (const [byte, times] of runs)
    for (let left = times; left > 0; left -= step) block(1, Math.min(step, left), Buffer.from([byte]));
  block(0, 0, Buffer.alloc(0), true);
  return Buffer.concat(parts);
}

/** A skippable zstd frame. */
export function zstdSkippable(content: Buffer | string): Buffer {
  const bytes = Buffer.from(content);
  const head = Buffer.from('502a4d1800000000', 'hex');
  head.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([head, bytes]);
}

class BitWriter {
  private readonly bytes: number[] = [];
  private current = 0;
  private used = 0;

  write(count: number, value: number): void {
    for (let bit = count - 1; bit >= 0; bit -= 1) {
      this.current = (this.current << 1) | (Math.floor(value / 2 ** bit) & 1);
      this.used += 1;
      if (this.used === 8) {
        this.bytes.push(this.current);
        this.current = 0;
        this.used = 0;
      }
    }
  }

  end(): Buffer {
    while (this.used !== 0) this.write(1, 0);
    return Buffer.from(this.bytes);
  }
}

function bzip2Crc(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0);
  }
  return ~crc >>> 0;
}

/** Four equal bytes are followed by how many more there are. */
function packRuns(bytes: Buffer): Buffer {
  const packed: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const byte = bytes[at] ?? 0;
    let length = 1;
    while (length < 255 && bytes[at + length] === byte) length += 1;
    for (let n = 0; n < Math.min(4, length); n += 1) packed.push(byte);
    if (length >= 4) packed.push(length - 4);
    at += length;
  }
  return Buffer.from(packed);
}

/** Sorts all rotations, the slow and simple way. */
function sortRotations(bytes: Buffer): { last: Buffer; start: number } {
  const twice = Buffer.concat([bytes, bytes]);
  const order = Array.from(bytes.keys()).sort((a, b) =>
    twice.compare(twice, b, b + bytes.length, a, a + bytes.length),
  );
  const last = Buffer.from(order.map((at) => twice[at + bytes.length - 1] ?? 0));
  return { last, start: order.indexOf(0) };
}

function symbolsOf(last: Buffer): { symbols: number[]; used: number[] } {
  const used = [...new Set(last)].sort((a, b) => a - b);
  const front = [...used];
  const symbols: number[] = [];
  let zeros = 0;
  const flush = () => {
    for (; zeros > 0; zeros = (zeros - 1) >> 1) symbols.push((zeros & 1) === 1 ? 0 : 1);
  };
  for (const byte of last) {
    const place = front.indexOf(byte);
    if (place === 0) {
      zeros += 1;
      continue;
    }
    flush();
    symbols.push(place + 1);
    front.splice(place, 1);
    front.unshift(byte);
  }
  flush();
  symbols.push(used.length + 1);
  return { symbols, used };
}

interface Sorted {
  readonly symbols: readonly number[];
  readonly used: readonly number[];
  readonly start: number;
  readonly crc: number;
}

function sorted(content: Buffer): Sorted {
  const { last, start } = sortRotations(packRuns(content));
  return { ...symbolsOf(last), start, crc: bzip2Crc(content) };
}

function writeBlock(bits: BitWriter, { symbols, used, start, crc }: Sorted): void {
  bits.write(24, 0x314159);
  bits.write(24, 0x265359);
  bits.write(32, crc);
  bits.write(1, 0);
  bits.write(24, start);
  const groups = Array.from({ length: 16 }, (_, group) => used.filter((byte) => byte >> 4 === group));
  for (const group of groups) bits.write(1, group.length > 0 ? 1 : 0);
  for (const group of groups)
    if (group.length > 0)
      for (let low = 0; low < 16; low += 1) bits.write(1, group.some((byte) => (byte & 15) === low) ? 1 : 0);
  // Two equal tables whose codes all have one length.
  const length = Math.max(1, Math.ceil(Math.log2(used.length + 2)));
  const selectors = Math.ceil(symbols.length / 50);
  bits.write(3, 2);
  bits.write(15, selectors);
  for (let at = 0; at < selectors; at += 1) bits.write(1, 0);
  for (let table = 0; table < 2; table += 1) {
    bits.write(5, length);
    for (let symbol = 0; symbol < used.length + 2; symbol += 1) bits.write(1, 0);
  }
  for (const symbol of symbols) bits.write(length, symbol);
}

/** One bzip2 stream; `times` repeats its content as further blocks. */
export function bzip2(
  content: Buffer | string,
  options: { times?: number; blockBytes?: number } = {},
): Buffer {
  const bytes = Buffer.from(content);
  const { times = 1, blockBytes = 50_000 } = options;
  const bits = new BitWriter();
  bits.write(24, 0x425a68);
  bits.write(8, 0x39);
  const blocks: Sorted[] = [];
  for (let at = 0; at < bytes.length; at += blockBytes)
    blocks.push(sorted(bytes.subarray(at, at + blockBytes)));
  let all = 0;
  for (let time = 0; time < times; time += 1) {
    for (const block of blocks) {
      writeBlock(bits, block);
      all = (((all << 1) | (all >>> 31)) ^ block.crc) >>> 0;
    }
  }
  bits.write(24, 0x177245);
  bits.write(24, 0x385090);
  bits.write(32, all);
  return bits.end();
}
