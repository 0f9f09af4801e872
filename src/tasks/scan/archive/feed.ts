import { CannotUnpack } from './budget.js';

const SPARE_MS = 1_000;

/** The half of a stream that takes bytes; node's and streamx's alike. */
interface Takes {
  write(chunk: Buffer, done?: (error?: Error | null) => void): boolean;
  end(): unknown;
  destroy(error?: Error): unknown;
  once(event: 'drain' | 'close', listener: () => void): unknown;
  off(event: 'drain' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/**
 * Pushes bytes into a stream while a consumer reads what comes out of it, and tells who pushes when the consumer fails.
 * At most the stream's own buffer is in memory: a write resolves only when the stream wants more.
 */
export class Feed {
  private readonly over: Promise<void>;
  private failure: { readonly error: unknown } | undefined;
  private isOver = false;

  constructor(
    private readonly stream: Takes,
    consume: () => Promise<void>,
    /** How long a reader may still take; one that waits for bytes which never come would wait for ever. */
    private readonly leftMs: () => number,
  ) {
    // The consumer's iterator reports the stream's errors; this only keeps them from ending the process.
    stream.on('error', () => undefined);
    this.over = this.watch(consume());
  }

  async write(chunk: Buffer): Promise<void> {
    this.check();
    // A consumer that is done early (an archive's end mark) needs no more.
    if (this.isOver) return;
    if (!this.stream.write(chunk)) await this.wantsMore();
    this.check();
  }

  async end(): Promise<void> {
    this.check();
    this.stream.end();
    await this.inTime(this.over);
    this.check();
  }

  abort(): void {
    this.stream.destroy();
  }

  private async inTime(work: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((_, reject) => {
      timer = setTimeout(
        () => reject(new CannotUnpack('timeout', 'unpacking stood still')),
        // The count of the bytes looks at the same limit, and is to be first.
        this.leftMs() + SPARE_MS,
      );
    });
    try {
      await Promise.race([work, late]);
    } catch (error) {
      this.stream.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  private async watch(consumer: Promise<void>): Promise<void> {
    try {
      await consumer;
      this.isOver = true;
    } catch (error) {
      this.failure = { error };
      this.stream.destroy();
    }
  }

  private check(): void {
    if (this.failure !== undefined) throw this.failure.error;
  }

  private async wantsMore(): Promise<void> {
    let settle = (): void => undefined;
    const drained = new Promise<void>((resolve) => (settle = resolve));
    this.stream.once('drain', settle);
    this.stream.once('close', settle);
    await this.inTime(Promise.race([drained, this.over]));
    this.stream.off('drain', settle);
    this.stream.off('close', settle);
    // A stream closes just before its reader hears why.
    if (this.failure === undefined && !this.isOver) await Promise.race([this.over, immediate()]);
  }
}

const immediate = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
