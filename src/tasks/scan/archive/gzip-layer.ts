import { createGunzip } from 'node:zlib';
import { CannotUnpack, LayerCount } from './budget.js';
import type { ByteSink } from './byte-sink.js';
import type { Content } from './content.js';
import { Feed } from './feed.js';
import type { ArchiveWalk } from './walk.js';

/** Unpacks gzip as the bytes arrive, members that follow one another included. */
export class GzipLayer implements ByteSink {
  private readonly gunzip = createGunzip();
  private readonly child: Content;
  private readonly feed: Feed;
  private inBytes = 0;
  /** Zeros at the end of what came so far: tapes and disks are padded with them. */
  private zerosAtEnd = 0;

  constructor(walk: ArchiveWalk, parent: Content) {
    walk.budget.member();
    this.child = parent.unzipped();
    const count = new LayerCount(walk.budget, () => this.inBytes);
    this.feed = new Feed(
      this.gunzip,
      async () => {
        for await (const chunk of readable(this.gunzip)) {
          count.out(chunk.length);
          await this.child.write(chunk);
        }
      },
      () => walk.budget.leftMs(),
    );
  }

  async write(chunk: Buffer): Promise<void> {
    this.inBytes += chunk.length;
    let zeros = 0;
    while (zeros < chunk.length && chunk[chunk.length - 1 - zeros] === 0) zeros += 1;
    this.zerosAtEnd = zeros === chunk.length ? this.zerosAtEnd + zeros : zeros;
    await this.orBreakOff(this.feed.write(chunk));
  }

  async end(): Promise<void> {
    await this.orBreakOff(this.feed.end());
    await this.child.end();
    // zlib stops at a zero behind a member; Python's gzip goes on to the next member.
    if (this.inBytes - this.gunzip.bytesWritten > this.zerosAtEnd)
      throw new CannotUnpack('corrupt', 'gzip: something follows after its end');
  }

  abort(): void {
    this.feed.abort();
    this.child.abort();
  }

  private async orBreakOff(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (error instanceof CannotUnpack) await this.child.breakOff();
      throw error;
    }
  }
}

async function* readable(stream: AsyncIterable<unknown>): AsyncGenerator<Buffer, void> {
  const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (;;) {
      let step: IteratorResult<Buffer>;
      try {
        step = await iterator.next();
      } catch (error) {
        throw new CannotUnpack('corrupt', `gzip: ${(error as Error).message}`, { cause: error });
      }
      if (step.done === true) return;
      yield step.value;
    }
  } finally {
    await iterator.return?.();
  }
}
