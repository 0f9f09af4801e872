/** What stands where in an archive that a test takes apart: one entry of its directory. */
export interface ZipPart {
  readonly name: string;
  /** Where its local header begins, and where its bytes do. */
  readonly start: number;
  readonly from: number;
  readonly to: number;
  /** Where its directory entry begins. */
  readonly directory: number;
}

/** Reads the directory of a whole archive. */
export function partsOf(zip: Buffer): ZipPart[] {
  const end = zip.length - 22;
  const parts: ZipPart[] = [];
  let at = zip.readUInt32LE(end + 16);
  while (at < end) {
    const nameLength = zip.readUInt16LE(at + 28);
    const start = zip.readUInt32LE(at + 42);
    const from = start + 30 + nameLength;
    const name = zip.toString('latin1', at + 46, at + 46 + nameLength);
    parts.push({ name, start, from, to: from + zip.readUInt32LE(at + 20), directory: at });
    at += 46 + nameLength;
  }
  return parts;
}
