import { createInflate } from 'node:zlib';
import { CannotUnpack, type Budget } from './budget.js';
import { Feed } from './feed.js';
import type { Out, Unpacker } from './unpacker.js';

/** Unpacks zlib's format; only white space may follow. */
export class InflateUnpacker implements Unpacker {
  private readonly inflate = createInflate();
  private feed: Feed | undefined;
  private inBytes = 0;
  private whiteAtEnd = 0;

  constructor(private readonly budget: Budget) {}

  async write(chunk: Buffer, out: Out): Promise<void> {
    this.inBytes += chunk.length;
    let white = 0;
    while (white < chunk.length && isWhite(chunk[chunk.length - 1 - white] ?? 1)) white += 1;
    this.whiteAtEnd = white === chunk.length ? this.whiteAtEnd + white : white;
    await this.fed(out).write(chunk);
  }

  async end(out: Out): Promise<void> {
    await this.fed(out).end();
    if (this.inBytes - this.inflate.bytesWritten > this.whiteAtEnd)
      throw new CannotUnpack('corrupt', 'deflate: something follows after its end');
  }

  close(): void {
    this.inflate.destroy();
  }

  private fed(out: Out): Feed {
    return (this.feed ??= new Feed(
      this.inflate,
      async () => {
        const chunks = this.inflate[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
        for (let step = await next(chunks); step.done !== true; step = await next(chunks))
          await out(step.value);
      },
      () => this.budget.leftMs(),
    ));
  }
}

/** White space as PDF has it. */
export const isWhite = (byte: number): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09 || byte === 0x0c || byte === 0;

async function next(chunks: AsyncIterator<Buffer>): Promise<IteratorResult<Buffer>> {
  try {
    return await chunks.next();
  } catch (error) {
    throw new CannotUnpack('corrupt', `deflate: ${(error as Error).message}`, { cause: error });
  }
}
