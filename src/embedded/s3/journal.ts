import { createReadStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { EndpointLogger } from './log.js';
import { readLine, splitLines, writeLine } from './journal-line.js';
import { JournalDamaged, JournalUnusable } from './store-errors.js';
import { syncDirectory } from './sync-directory.js';

// A batch is one write and one sync; more in it gains nothing and makes the line long.
const MAX_BATCH_ITEMS = 512;
const SNAPSHOT_LINE_RECORDS = 200;
const COMPACT_FROM_RECORDS = 1000;
const COMPACT_FROM_BYTES = 16 * 1024 * 1024;
// Rewriting costs as much as the live part; at four times its size the rewriting is a quarter of all writing.
const COMPACT_AT_GROWTH = 4;

interface Pending<R> {
  readonly records: readonly R[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface JournalOptions<R> {
  readonly directory: string;
  /** Called for each durable record, once and in order: while opening, and as appends become durable. */
  readonly apply: (record: R) => void;
  /** Everything that must survive a compaction, in an order in which it can be applied to nothing. */
  readonly snapshot: () => AsyncIterable<R>;
  /** Makes durable what the records of the next batch point at (names of new blob files). */
  readonly beforeBatch: () => Promise<void>;
  /** How many records a snapshot would hold, about. */
  readonly liveRecords: () => number;
  readonly logger: EndpointLogger;
}

/**
 * An append-only file of records with group commit.
 *
 * `append` resolves when the records are on disk and applied. Several appends share one write and one sync.
 * A last line that a crash tore was never acknowledged and is cut off at the next opening; damage anywhere
 * else stops the opening with `JournalDamaged`, since what follows it cannot be trusted.
 */
export class Journal<R> {
  private readonly path: string;
  private readonly waiting: Pending<R>[] = [];
  private file: FileHandle | undefined;
  private length = 0;
  private replayed = 0;
  private lengthAfterCompaction = 0;
  private writing: Promise<void> | undefined;
  private failure: JournalUnusable | undefined;
  private isClosed = false;
  /** Counts compactions, so that readers know when their offsets mean nothing any more. */
  private generation = 0;

  constructor(private readonly options: JournalOptions<R>) {
    this.path = join(options.directory, 'journal');
  }

  /** Reads what is there, mends a torn end and compacts when much of it is history. */
  async open(): Promise<void> {
    await rm(this.newPath, { force: true });
    this.file = await open(this.path, 'a+', 0o600);
    await syncDirectory(this.options.directory);
    const { size } = await this.file.stat();
    this.length = await this.replay(size);
    if (this.length < size) {
      const fields = { path: this.path, bytes: size - this.length };
      this.options.logger.warn(
        fields,
        'Cut off a torn last line of the S3 journal; nothing in it was acknowledged',
      );
      await this.file.truncate(this.length);
      await this.file.datasync();
    }
    this.lengthAfterCompaction = this.length;
    if (this.replayed > 2 * this.options.liveRecords() + COMPACT_FROM_RECORDS) await this.compact();
  }

  async append(records: readonly R[]): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    if (this.isClosed) throw new JournalUnusable('The store is closed.');
    await new Promise<void>((resolve, reject) => {
      this.waiting.push({ records, resolve, reject });
      this.writing ??= this.writeBatches().finally(() => {
        this.writing = undefined;
      });
    });
  }

  /** Where the next record will be written, and in which incarnation of the file. */
  get position(): { readonly generation: number; readonly offset: number } {
    return { generation: this.generation, offset: this.length };
  }

  /**
   * Reads durable lines from an offset of this generation on. Several may read while others append;
   * a compaction meanwhile does not disturb a reader that has begun.
   */
  async *read(from: number): AsyncGenerator<{ start: number; end: number; bytes: Buffer }> {
    if (from >= this.length) return;
    yield* splitLines(this.stream(from, this.length), from);
  }

  /** Waits for what is being written, then closes the file. */
  async close(): Promise<void> {
    this.isClosed = true;
    while (this.writing !== undefined) await this.writing;
    await this.file?.close();
    this.file = undefined;
  }

  private get newPath(): string {
    return `${this.path}.new`;
  }

  private stream(from: number, to: number): AsyncIterable<Buffer> {
    return createReadStream(this.path, { start: from, end: to - 1, highWaterMark: 256 * 1024 });
  }

  /** Applies all whole lines and returns the length of the part that holds. */
  private async replay(size: number): Promise<number> {
    let torn: number | undefined;
    if (size === 0) return 0;
    for await (const line of splitLines(this.stream(0, size), 0)) {
      if (torn !== undefined) throw new JournalDamaged(this.path, torn);
      const json = line.isWhole ? readLine(line.bytes) : undefined;
      if (json === undefined) {
        torn = line.start;
        continue;
      }
      const records: readonly R[] = JSON.parse(json);
      for (const record of records) this.options.apply(record);
      this.replayed += records.length;
    }
    return torn ?? size;
  }

  private async writeBatches(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, MAX_BATCH_ITEMS);
      try {
        if (this.failure !== undefined) throw this.failure;
        const records = batch.flatMap((pending) => pending.records);
        await this.options.beforeBatch();
        await this.write(writeLine(records));
        for (const record of records) this.options.apply(record);
        for (const pending of batch) pending.resolve();
        await this.compactIfGrown();
      } catch (error) {
        for (const pending of batch) pending.reject(error);
      }
    }
  }

  private async compactIfGrown(): Promise<void> {
    if (this.length < COMPACT_FROM_BYTES || this.length < this.lengthAfterCompaction * COMPACT_AT_GROWTH)
      return;
    try {
      await this.compact();
    } catch (error) {
      // The old file still holds everything. Trying again waits until it has grown as much once more.
      this.lengthAfterCompaction = this.length;
      this.options.logger.error({ err: error, path: this.path }, 'The S3 journal could not be compacted');
    }
  }

  private async write(line: Buffer): Promise<void> {
    const file = this.opened;
    try {
      for (let done = 0; done < line.length;) {
        done += (await file.write(line, done, line.length - done)).bytesWritten;
      }
    } catch (error) {
      // Nothing of this batch was acknowledged: take the torn line back, so that the next one stands alone.
      await file.truncate(this.length).catch((cause: unknown) => this.fail('cannot be truncated', cause));
      throw error;
    }
    // After a failed sync nobody knows which pages are on disk, so nothing more may be promised.
    await file.datasync().catch((cause: unknown) => this.fail('cannot be synced', cause));
    this.length += line.length;
  }

  private fail(what: string, cause: unknown): never {
    this.failure = new JournalUnusable(
      `The journal ${this.path} ${what}; nothing more is written to it. Check the disk, then restart.`,
      { cause },
    );
    throw this.failure;
  }

  private get opened(): FileHandle {
    if (this.file === undefined) throw new JournalUnusable('The store is not open.');
    return this.file;
  }

  /** Writes the live records to a new file and puts it in the old one's place. */
  private async compact(): Promise<void> {
    const next = await open(this.newPath, 'ax+', 0o600);
    let length = 0;
    try {
      let records: R[] = [];
      const flush = async (): Promise<void> => {
        if (records.length === 0) return;
        const line = writeLine(records);
        await next.appendFile(line);
        length += line.length;
        records = [];
      };
      for await (const record of this.options.snapshot()) {
        records.push(record);
        if (records.length >= SNAPSHOT_LINE_RECORDS) await flush();
      }
      await flush();
      await next.datasync();
      await rename(this.newPath, this.path);
    } catch (error) {
      await next.close();
      await rm(this.newPath, { force: true });
      throw error;
    }
    const old = this.file;
    this.file = next;
    this.length = length;
    this.lengthAfterCompaction = length;
    this.generation += 1;
    await old?.close();
    // Until the rename is durable a crash may bring the old file back, without what is appended from here on.
    await syncDirectory(this.options.directory).catch((cause: unknown) =>
      this.fail('cannot be synced', cause),
    );
  }
}
