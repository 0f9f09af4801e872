import type { TransformOptions } from 'node:stream';
import { createInflateRaw, type ZlibOptions } from 'node:zlib';
import { CannotUnpack } from './budget.js';
import type { Out } from './unpacker.js';

// Options of the stream, which node passes on and its typings of zlib do not know.
const ONE_BY_ONE: ZlibOptions & TransformOptions = { readableHighWaterMark: 1 };

/**
 * One deflate stream, a piece at a time; who uses it reads what stands around it. Node's own readers of gzip and zlib throw
 * away what they have unpacked when something wrong follows: a whole small file, for one byte behind it.
 */
export class Deflate {
  // Whatever comes out is taken before more is unpacked, so that an error finds nothing waiting.
  private readonly inflate = createInflateRaw(ONE_BY_ONE);
  private inBytes = 0;
  private isOver = false;
  private failure: Error | undefined;
  private wake = (): void => undefined;

  constructor(private readonly format: string) {
    this.inflate.on('readable', () => this.wake());
    this.inflate.on('end', () => {
      this.isOver = true;
      this.wake();
    });
    this.inflate.on('error', (error) => {
      this.failure = error;
      this.wake();
    });
    this.inflate.on('close', () => {
      this.failure ??= new Error('given up');
      this.wake();
    });
  }

  /**
   * @returns what follows after the stream's end. An end at the very end of a piece is only seen with the next one.
   * @throws CannotUnpack
   */
  async write(piece: Buffer, out: Out): Promise<Buffer | undefined> {
    if (piece.length === 0) return undefined;
    let isTaken = false;
    this.inBytes += piece.length;
    this.inflate.write(piece, () => {
      isTaken = true;
      this.wake();
    });
    for (;;) {
      const woken = new Promise<void>((resolve) => (this.wake = resolve));
      const bytes = this.inflate.read() as Buffer | null;
      if (bytes !== null) await out(bytes);
      else if (this.isOver || (isTaken && this.leftBytes > 0))
        return piece.subarray(piece.length - this.leftBytes);
      else if (this.failure !== undefined) {
        const { message } = this.failure;
        throw new CannotUnpack('corrupt', `${this.format}: ${message}`, { cause: this.failure });
      } else if (isTaken) return undefined;
      else await woken;
    }
  }

  /** Those that came and are no part of the stream, once it is over. */
  private get leftBytes(): number {
    return this.inBytes - this.inflate.bytesWritten;
  }

  close(): void {
    this.inflate.destroy();
  }
}
