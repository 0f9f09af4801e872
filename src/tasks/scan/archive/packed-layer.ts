import { CannotUnpack, LayerCount } from './budget.js';
import type { ByteSink } from './byte-sink.js';
import type { Content } from './content.js';
import type { Unpacker } from './unpacker.js';
import type { ArchiveWalk } from './walk.js';

/** Unpacks the one content of a compressed file as the bytes arrive. */
export class PackedLayer implements ByteSink {
  private readonly child: Content;
  private readonly count: LayerCount;
  private inBytes = 0;

  constructor(
    walk: ArchiveWalk,
    parent: Content,
    private readonly unpacker: Unpacker,
  ) {
    walk.budget.member();
    this.child = parent.unzipped();
    this.count = new LayerCount(walk.budget, () => this.inBytes);
  }

  async write(chunk: Buffer): Promise<void> {
    this.inBytes += chunk.length;
    await this.orBreakOff(this.unpacker.write(chunk, this.out));
  }

  async end(): Promise<void> {
    await this.orBreakOff(this.unpacker.end(this.out));
    this.unpacker.close();
    await this.child.end();
  }

  abort(): void {
    this.unpacker.close();
    this.child.abort();
  }

  private readonly out = async (bytes: Buffer): Promise<void> => {
    this.count.out(bytes.length);
    await this.child.write(bytes);
  };

  private async orBreakOff(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.unpacker.close();
      if (error instanceof CannotUnpack) await this.child.breakOff();
      throw error;
    }
  }
}
