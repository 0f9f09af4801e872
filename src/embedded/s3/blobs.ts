import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EndpointLogger } from './log.js';
import { syncDirectory } from './sync-directory.js';

/** Bytes `offset … offset + length` of an immutable file. A body is a list of slices. */
export interface Slice {
  readonly blob: string;
  readonly offset: number;
  readonly length: number;
}

/**
 * Immutable files with random names; nothing that a client sends is ever part of a path.
 *
 * A blob lives as long as something counts on it: a stored version or part, or a reader in the middle of it.
 * What nothing counts on is removed at once while running, and at the next opening after a crash.
 */
export class Blobs {
  private readonly counts = new Map<string, number>();
  private hasNewNames = false;
  /** While the journal is replayed nothing is removed; `open` does it for all at once. */
  private isOpen = false;

  constructor(
    private readonly directory: string,
    private readonly logger: EndpointLogger,
  ) {}

  /** Removes what a crash left behind: half-written files, and files that nothing counts on. */
  async open(): Promise<void> {
    this.isOpen = true;
    await rm(this.incoming, { recursive: true, force: true });
    await mkdir(this.incoming, { recursive: true, mode: 0o700 });
    const names = new Set(await readdir(this.stored));
    for (const name of names) if (!this.counts.has(name)) await rm(join(this.stored, name), { force: true });
    const missing = [...this.counts.keys()].filter((name) => !names.has(name));
    if (missing.length > 0) {
      this.logger.error(
        { missing: missing.length, example: missing[0] },
        'Files of stored S3 objects are missing',
      );
    }
  }

  /** Makes the folders. To be called before anything is retained. */
  async prepare(): Promise<void> {
    await mkdir(this.incoming, { recursive: true, mode: 0o700 });
    await mkdir(this.stored, { recursive: true, mode: 0o700 });
    await syncDirectory(this.directory);
  }

  /**
   * Writes a body to a new file and syncs it. Its name is durable after the next `syncNames`.
   * When the source fails, nothing is left and the source's error is thrown.
   */
  async write(source: AsyncIterable<Buffer>): Promise<Slice | undefined> {
    const blob = randomBytes(16).toString('hex');
    const path = join(this.incoming, blob);
    const file = await open(path, 'wx', 0o600);
    let length = 0;
    try {
      for await (const chunk of source) {
        for (let done = 0; done < chunk.length;) {
          done += (await file.write(chunk, done, chunk.length - done)).bytesWritten;
        }
        length += chunk.length;
      }
      if (length > 0) await file.sync();
    } catch (error) {
      await file.close();
      await rm(path, { force: true });
      throw error;
    }
    await file.close();
    if (length === 0) {
      await rm(path, { force: true });
      return undefined;
    }
    await rename(path, join(this.stored, blob));
    this.hasNewNames = true;
    return { blob, offset: 0, length };
  }

  /** Makes the names of all blobs written so far durable. */
  async syncNames(): Promise<void> {
    if (!this.hasNewNames) return;
    this.hasNewNames = false;
    await syncDirectory(this.stored);
  }

  retain(slices: readonly Slice[]): void {
    for (const { blob } of slices) this.counts.set(blob, (this.counts.get(blob) ?? 0) + 1);
  }

  /** Gives up one claim on each slice, and removes the files that were the last one's. */
  release(slices: readonly Slice[]): void {
    for (const { blob } of slices) {
      const left = (this.counts.get(blob) ?? 0) - 1;
      if (left > 0) this.counts.set(blob, left);
      else {
        this.counts.delete(blob);
        if (this.isOpen) this.remove(blob);
      }
    }
  }

  /** Removes a blob that was written and then not used. */
  discard(slice: Slice | undefined): void {
    if (slice !== undefined && !this.counts.has(slice.blob)) this.remove(slice.blob);
  }

  /** Streams bytes `start … end` (exclusive) of a body. The files stay until the stream ends, also when deleted. */
  async *read(slices: readonly Slice[], start: number, end: number): AsyncGenerator<Buffer> {
    this.retain(slices);
    try {
      let at = 0;
      for (const slice of slices) {
        const from = Math.max(start - at, 0);
        const to = Math.min(end - at, slice.length);
        at += slice.length;
        if (from >= to) continue;
        yield* createReadStream(join(this.stored, slice.blob), {
          start: slice.offset + from,
          end: slice.offset + to - 1,
          highWaterMark: 256 * 1024,
        }) as AsyncIterable<Buffer>;
      }
    } finally {
      this.release(slices);
    }
  }

  private get incoming(): string {
    return join(this.directory, 'incoming');
  }

  private get stored(): string {
    return join(this.directory, 'blobs');
  }

  private remove(blob: string): void {
    rm(join(this.stored, blob), { force: true }).catch((error: unknown) => {
      // The next opening removes it.
      this.logger.warn({ err: error, blob }, 'A file of a deleted S3 object could not be removed');
    });
  }
}
