import type { Entry, ZipFile } from 'yauzl';
import type { SpoolFile } from '../../../s3/spool.js';
import { directoryCursor } from './zip-reader.js';

const LOCAL_HEADER = Buffer.from([0x50, 0x4b, 0x03, 0x04]);
const END_RECORD = Buffer.from([0x50, 0x4b, 0x05, 0x06]);
const ZIP64_END_RECORD = Buffer.from([0x50, 0x4b, 0x06, 0x06]);
const LOCAL_HEADER_BYTES = 30;
const END_RECORD_BYTES = 22;
// The longest data descriptor behind an entry's data: signature, checksum and two 64-bit sizes.
const DESCRIPTOR_BYTES = 24;
const HAS_DESCRIPTOR = 0x8;
const ENCRYPTED = 0x1;
const SEE_ZIP64 = 0xff_ff_ff_ff;
const ZIP64_EXTRA = 0x0001;
// Alignment and signing blocks are smaller; a bigger hole is not searched but reported.
const MAX_HOLE_BYTES = 16 * 1024 ** 2;

export interface StructureReport {
  /** Of the archive as a whole. */
  readonly problems: readonly string[];
  readonly byEntry: ReadonlyMap<Entry, string>;
}

/**
 * Looks for the tricks that make two readers of one zip see different members: entries that the directory does not list,
 * local headers that say something else than the directory, entries that share bytes, a directory that is longer than
 * the end record says.
 */
export async function checkStructure(
  file: SpoolFile,
  zip: ZipFile,
  entries: readonly Entry[],
  directoryStart: number,
): Promise<StructureReport> {
  const problems = new Set<string>();
  const byEntry = new Map<Entry, string>();
  const sorted = [...entries].sort((a, b) => a.relativeOffsetOfLocalHeader - b.relativeOffsetOfLocalHeader);
  let reached = 0;
  let slack = 0;
  for (const entry of sorted) {
    const start = entry.relativeOffsetOfLocalHeader;
    if (start < reached) problems.add('members share the same bytes');
    if (await hidesEntry(file, reached, start, slack))
      problems.add('holds a member that its directory does not list');
    const local = await readLocal(file, entry);
    const disagreement = local === undefined ? 'the local header is missing' : differs(local, entry);
    if (disagreement !== undefined) byEntry.set(entry, disagreement);
    reached = Math.max(reached, start + (local?.headerBytes ?? 0) + entry.compressedSize);
    slack = (entry.generalPurposeBitFlag & HAS_DESCRIPTOR) === 0 ? 0 : DESCRIPTOR_BYTES;
  }
  if (reached > directoryStart) problems.add('members reach into the directory');
  if (await hidesEntry(file, reached, directoryStart, slack)) {
    problems.add('holds a member that its directory does not list');
  }
  const ending = await checkEnd(file, zip);
  if (ending !== undefined) problems.add(ending);
  return { problems: [...problems], byEntry };
}

async function hidesEntry(file: SpoolFile, from: number, to: number, slack: number): Promise<boolean> {
  const hole = to - from;
  if (hole <= slack) return false;
  if (hole > MAX_HOLE_BYTES) return true;
  return (await file.read(from, hole)).includes(LOCAL_HEADER);
}

interface Local {
  readonly flags: number;
  readonly method: number;
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  readonly name: Buffer;
  /** The sizes that stand in its extra field where the others are too small for them. */
  readonly zip64: readonly number[];
  readonly headerBytes: number;
}

async function readLocal(file: SpoolFile, entry: Entry): Promise<Local | undefined> {
  const start = entry.relativeOffsetOfLocalHeader;
  const head = await file.read(start, LOCAL_HEADER_BYTES);
  if (head.length < LOCAL_HEADER_BYTES || !head.subarray(0, 4).equals(LOCAL_HEADER)) return undefined;
  const nameLength = head.readUInt16LE(26);
  return {
    flags: head.readUInt16LE(6),
    method: head.readUInt16LE(8),
    packedBytes: head.readUInt32LE(18),
    unpackedBytes: head.readUInt32LE(22),
    name: await file.read(start + LOCAL_HEADER_BYTES, nameLength),
    zip64: zip64Sizes(await file.read(start + LOCAL_HEADER_BYTES + nameLength, head.readUInt16LE(28))),
    headerBytes: LOCAL_HEADER_BYTES + nameLength + head.readUInt16LE(28),
  };
}

function zip64Sizes(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== ZIP64_EXTRA) continue;
    const field = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
    const sizes: number[] = [];
    for (let from = 0; from + 8 <= field.length; from += 8) sizes.push(Number(field.readBigUInt64LE(from)));
    return sizes;
  }
  return [];
}

function differs(local: Local, entry: Entry): string | undefined {
  if (!local.name.equals(entry.fileNameRaw)) return 'the local header has another name than the directory';
  if (local.method !== entry.compressionMethod)
    return 'the local header has another method than the directory';
  if ((local.flags & ENCRYPTED) !== (entry.generalPurposeBitFlag & ENCRYPTED)) {
    return 'the local header and the directory disagree on encryption';
  }
  if ((local.flags & HAS_DESCRIPTOR) !== 0) return undefined;
  const wide = [...local.zip64];
  // In this order, and only those that are needed (APPNOTE 4.5.3).
  const unpackedBytes = local.unpackedBytes === SEE_ZIP64 ? wide.shift() : local.unpackedBytes;
  const packedBytes = local.packedBytes === SEE_ZIP64 ? wide.shift() : local.packedBytes;
  if (packedBytes !== entry.compressedSize || unpackedBytes !== entry.uncompressedSize) {
    return 'the local header has other sizes than the directory';
  }
  return undefined;
}

/** After the directory comes the end record and nothing else. `zip` has read all its entries. */
async function checkEnd(file: SpoolFile, zip: ZipFile): Promise<string | undefined> {
  const directoryEnd = directoryCursor(zip);
  const rest = await file.read(directoryEnd, file.sizeBytes - directoryEnd);
  const isPlainEnd = rest.subarray(0, 4).equals(END_RECORD);
  if (!isPlainEnd && !rest.subarray(0, 4).equals(ZIP64_END_RECORD)) {
    return 'the directory lists more than the end record says';
  }
  const end = isPlainEnd ? 0 : rest.indexOf(END_RECORD);
  return rest.includes(END_RECORD, end + END_RECORD_BYTES) ? 'has two end records' : undefined;
}
