import { extract, type Extract, type Header } from 'tar-stream';
import { CannotUnpack, LayerCount } from './budget.js';
import type { ByteSink } from './byte-sink.js';
import type { Content } from './content.js';
import { Feed } from './feed.js';
import type { ArchiveWalk } from './walk.js';

interface Entry extends AsyncIterable<Buffer> {
  readonly header: Header;
}

/** Reads a tar as the bytes arrive. */
export class TarLayer implements ByteSink {
  // Tars from before `ustar` have no magic number; the sniffing knew them by their checksum.
  private readonly extract: Extract = extract({ allowUnknownFormat: true } as never);
  private readonly feed: Feed;
  private current: Content | undefined;

  constructor(
    private readonly walk: ArchiveWalk,
    private readonly parent: Content,
  ) {
    this.feed = new Feed(
      this.extract as never,
      () => this.readEntries(),
      () => walk.budget.leftMs(),
    );
  }

  async write(chunk: Buffer): Promise<void> {
    await this.orBreakOff(this.feed.write(chunk));
  }

  async end(): Promise<void> {
    await this.orBreakOff(this.feed.end());
  }

  abort(): void {
    this.feed.abort();
    this.current?.abort();
  }

  private async readEntries(): Promise<void> {
    const entries = this.extract[Symbol.asyncIterator]() as unknown as AsyncIterator<Entry>;
    for (;;) {
      const step = await orCorrupt(entries.next());
      if (step.done === true) return;
      await this.readEntry(step.value);
    }
  }

  private async readEntry(entry: Entry): Promise<void> {
    const { budget } = this.walk;
    budget.member();
    // tar-stream would wait for its content for ever.
    if (entry.header.type === 'directory' && (entry.header.size ?? 0) > 0) {
      throw new CannotUnpack('corrupt', 'tar: a folder with content');
    }
    const count = new LayerCount(budget, () => entry.header.size);
    const content = this.parent.member(entry.header.name);
    this.current = content;
    const chunks = entry[Symbol.asyncIterator]();
    for (
      let step = await orCorrupt(chunks.next());
      step.done !== true;
      step = await orCorrupt(chunks.next())
    ) {
      count.out(step.value.length);
      await content.write(step.value);
    }
    this.current = undefined;
    await content.end();
  }

  private async orBreakOff(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (error instanceof CannotUnpack) await this.current?.breakOff();
      throw error;
    }
  }
}

async function orCorrupt<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new CannotUnpack('corrupt', `tar: ${(error as Error).message}`, { cause: error });
  }
}
