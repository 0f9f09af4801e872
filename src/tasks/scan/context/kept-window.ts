/** Bytes around one place of a content, kept while the content goes by. */
export class KeptWindow {
  private readonly parts: Buffer[] = [];
  readonly from: number;

  constructor(
    /** Byte offset of the finding. */
    readonly at: number,
    beforeBytes: number,
    private readonly afterBytes: number,
  ) {
    this.from = Math.max(0, at - beforeBytes);
  }

  /** @param offset of the chunk's first byte. */
  take(chunk: Buffer, offset: number): void {
    const to = this.at + this.afterBytes;
    const start = Math.max(0, this.from - offset);
    const end = Math.min(chunk.length, to - offset);
    // A copy: whoever gave the chunk may use its memory again.
    if (start < end) this.parts.push(Buffer.from(chunk.subarray(start, end)));
  }

  /** There is more behind it. @param sizeBytes of the content. */
  isCutOff(sizeBytes: number): boolean {
    return this.at + this.afterBytes < sizeBytes;
  }

  bytes(): Buffer {
    return Buffer.concat(this.parts);
  }
}
