import { incompleteBody, invalidRequest } from './s3-error.js';

/** Reads lines and runs of bytes from a stream, holding no more than one of its pieces. */
export class ByteReader {
  private readonly source: AsyncIterator<Buffer>;
  private held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.source = source[Symbol.asyncIterator]();
  }

  /** Between 1 and `max` bytes. Throws `IncompleteBody` at the end of the stream. */
  async take(max: number): Promise<Buffer> {
    if (!(await this.fill())) throw incompleteBody('the body ended in the middle of a chunk.');
    const taken = this.held.subarray(0, max);
    this.held = this.held.subarray(taken.length);
    return taken;
  }

  /** A line without its CRLF, or `undefined` at the end of the stream. */
  async line(maxLength: number): Promise<string | undefined> {
    let line = '';
    while (await this.fill()) {
      const end = this.held.indexOf(0x0a);
      const piece = this.held.subarray(0, end < 0 ? this.held.length : end + 1);
      if (line.length + piece.length > maxLength)
        throw invalidRequest('A chunk header or trailer is too long.');
      this.held = this.held.subarray(piece.length);
      line += piece.toString('latin1');
      if (end >= 0) return line.replace(/\r?\n$/, '');
    }
    if (line !== '') throw incompleteBody('the body ended in the middle of a chunk header or trailer.');
    return undefined;
  }

  /** Whether the stream is at its end. */
  async isAtEnd(): Promise<boolean> {
    return !(await this.fill());
  }

  /** Lets the source go. To be called when nothing more is read. */
  async release(): Promise<void> {
    await this.source.return?.();
  }

  private async fill(): Promise<boolean> {
    while (this.held.length === 0) {
      const next = await this.source.next();
      if (next.done === true) return false;
      this.held = next.value;
    }
    return true;
  }
}
