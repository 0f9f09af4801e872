// A zip's end record and the longest comment behind it.
const TAIL_BYTES = 22 + 65_535;
const END_RECORD = Buffer.from([0x50, 0x4b, 0x05, 0x06]);
const ZIP64_LOCATOR = Buffer.from([0x50, 0x4b, 0x06, 0x07]);

/**
 * Keeps the end of some bytes and tells whether a zip's directory ends there. Readers of zips begin at the end, so a
 * picture with a zip behind it is a zip to them; we would have passed it by.
 */
export class TailWatch {
  private chunks: Buffer[] = [];
  private kept = 0;

  push(chunk: Buffer): void {
    this.chunks.push(chunk.length > TAIL_BYTES ? Buffer.from(chunk.subarray(-TAIL_BYTES)) : chunk);
    this.kept += this.chunks.at(-1)?.length ?? 0;
    let first = this.chunks[0];
    while (first !== undefined && this.kept - first.length >= TAIL_BYTES) {
      this.kept -= first.length;
      this.chunks.shift();
      first = this.chunks[0];
    }
  }

  /** `atVeryEnd`: only a record whose comment fills the rest; a tar may well hold a whole zip near its end. */
  holdsZipEnd({ atVeryEnd }: { atVeryEnd: boolean }): boolean {
    const tail = Buffer.concat(this.chunks);
    for (
      let at = tail.lastIndexOf(END_RECORD);
      at >= 0;
      at = at === 0 ? -1 : tail.lastIndexOf(END_RECORD, at - 1)
    ) {
      if (at + 22 > tail.length) continue;
      // Readers differ in which of its numbers they believe, so any that is not zero makes it a directory's end.
      const isEmpty = tail.subarray(at + 8, at + 16).every((byte) => byte === 0);
      const hasZip64 = at >= 20 && tail.subarray(at - 20, at - 16).equals(ZIP64_LOCATOR);
      const fillsTheRest = at + 22 + tail.readUInt16LE(at + 20) === tail.length;
      if ((!isEmpty || hasZip64) && (fillsTheRest || !atVeryEnd)) return true;
    }
    return false;
  }
}
