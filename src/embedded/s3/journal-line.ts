import { crc32 } from 'node:zlib';

/**
 * One line of the journal: `<crc32 in 8 hex digits> <JSON array>\n`.
 *
 * A line is what was written and synced together, so it is there as a whole or not at all.
 */
export function writeLine(records: readonly unknown[]): Buffer {
  const json = JSON.stringify(records);
  return Buffer.from(`${checksum(Buffer.from(json))} ${json}\n`);
}

/** The JSON of a line without its newline, or `undefined` when it is torn or damaged. */
export function readLine(line: Buffer): string | undefined {
  if (line.length < 11 || line[8] !== 0x20) return undefined;
  const json = line.subarray(9);
  if (line.toString('latin1', 0, 8) !== checksum(json)) return undefined;
  return json.toString();
}

const checksum = (bytes: Buffer): string => crc32(bytes).toString(16).padStart(8, '0');

/** A line of the file and where it stands. */
export interface PlacedLine {
  readonly start: number;
  /** Just past its newline, or past the last byte of the file when that is missing. */
  readonly end: number;
  readonly isWhole: boolean;
  readonly bytes: Buffer;
}

/** Cuts a stream of bytes that begins at `offset` into lines; holds one line in memory at a time. */
export async function* splitLines(source: AsyncIterable<Buffer>, offset: number): AsyncGenerator<PlacedLine> {
  let start = offset;
  let held: Buffer[] = [];
  for await (const chunk of source) {
    let from = 0;
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, from)) {
      const bytes = Buffer.concat([...held, chunk.subarray(from, at)]);
      yield { start, end: start + bytes.length + 1, isWhole: true, bytes };
      start += bytes.length + 1;
      held = [];
      from = at + 1;
    }
    if (from < chunk.length) held.push(chunk.subarray(from));
  }
  const rest = Buffer.concat(held);
  if (rest.length > 0) yield { start, end: start + rest.length, isWhole: false, bytes: rest };
}
