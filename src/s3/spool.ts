import { randomUUID } from 'node:crypto';
import { mkdir, open, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/** The process-wide quota (SCAN_SPOOL_BYTES) is used up: what does not fit is not looked into. */
export class SpoolFull extends Error {
  constructor(readonly quotaBytes: number) {
    super(`the spool's quota of ${quotaBytes} bytes is used up`);
  }
}

/**
 * Room on disk for formats that need random access. Files have random names, mode 0600, and are unlinked as soon as
 * they are open: nothing is left behind by a crash, and nobody else can open them.
 */
export class Spool {
  private used = 0;

  constructor(
    private readonly directory: string,
    private readonly quotaBytes: number,
  ) {}

  get usedBytes(): number {
    return this.used;
  }

  /** An empty file; close it when done. */
  async create(): Promise<SpoolFile> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const path = join(this.directory, `${randomUUID()}.spool`);
    const handle = await open(path, 'wx+', 0o600);
    await unlink(path);
    return new SpoolFile(handle, (bytes) => this.take(bytes));
  }

  private take(bytes: number): void {
    if (this.used + bytes > this.quotaBytes) throw new SpoolFull(this.quotaBytes);
    this.used += bytes;
  }
}

/** One spooled object or member. Shared by reference count: who retains it must close it. */
export class SpoolFile {
  private length = 0;
  private holders = 1;

  constructor(
    private readonly handle: FileHandle,
    private readonly take: (bytes: number) => void,
  ) {}

  get sizeBytes(): number {
    return this.length;
  }

  /** For readers that want a descriptor; valid until the last close. */
  get fd(): number {
    return this.handle.fd;
  }

  /** @throws SpoolFull when the quota does not allow it; nothing is written then. */
  async write(chunk: Buffer): Promise<void> {
    this.take(chunk.length);
    const at = this.length;
    this.length += chunk.length;
    for (let done = 0; done < chunk.length;) {
      const { bytesWritten } = await this.handle.write(chunk, done, chunk.length - done, at + done);
      done += bytesWritten;
    }
  }

  async read(position: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.length - position)));
    for (let done = 0; done < buffer.length;) {
      const { bytesRead } = await this.handle.read(buffer, done, buffer.length - done, position + done);
      if (bytesRead === 0) return buffer.subarray(0, done);
      done += bytesRead;
    }
    return buffer;
  }

  retain(): this {
    this.holders += 1;
    return this;
  }

  async close(): Promise<void> {
    this.holders -= 1;
    if (this.holders > 0) return;
    this.take(-this.length);
    await this.handle.close();
  }
}
