const INTERESTING = [0, 1, 0x7f, 0x80, 0xff];
const LONGEST = 64 * 1024;

/** A changed copy of one of the seeds: bits flipped, pieces cut, doubled, moved, or taken from another seed. */
export function mutated(seeds: readonly Buffer[], random: () => number): Buffer {
  const below = (n: number): number => Math.floor(random() * n);
  const seed = (): Buffer => seeds[below(seeds.length)] ?? Buffer.alloc(0);
  let bytes: Buffer = Buffer.from(seed());
  for (let times = 1 + below(8); times > 0; times -= 1) {
    const at = below(bytes.length + 1);
    const length = below(Math.min(64, bytes.length - at) + 1);
    const [before, piece, after] = [
      bytes.subarray(0, at),
      bytes.subarray(at, at + length),
      bytes.subarray(at + length),
    ];
    const other = seed();
    const from = below(other.length + 1);
    switch (below(7)) {
      case 0:
        if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
        break;
      case 1:
        if (at < bytes.length) bytes[at] = INTERESTING[below(INTERESTING.length)] ?? 0;
        break;
      case 2:
        bytes = Buffer.concat([before, after]);
        break;
      case 3:
        bytes = Buffer.concat([before, ...Array.from({ length: 1 + below(20) }, () => piece), after]);
        break;
      case 4:
        bytes = Buffer.concat([before, other.subarray(from, from + below(200)), after]);
        break;
      case 5:
        bytes = Buffer.from(before);
        break;
      default:
        bytes = Buffer.concat([before, Buffer.from(piece.map(() => below(256))), after]);
    }
  }
  return bytes.subarray(0, LONGEST);
}
