import { mkdir, open, readdir, rename } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { syncDirectory } from '../embedded/s3/sync-directory.js';
import { ConfigError } from '../errors.js';
import { BackupPlace } from './place.js';

/** A backup in a folder that this user alone may read. */
export class FolderPlace extends BackupPlace {
  private readonly folder: string;

  constructor(readonly name: string) {
    super();
    this.folder = resolve(name);
  }

  async isUsed(): Promise<boolean> {
    try {
      return (await readdir(this.folder)).length > 0;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return false;
      throw new ConfigError(`${this.name} cannot be read: ${message}. Name a folder of yours.`, {
        cause: error,
      });
    }
  }

  async write(name: string, bytes: Buffer): Promise<void> {
    const path = join(this.folder, name);
    try {
      await this.makeFolder(dirname(path));
      const temporary = `${path}.part`;
      await writeNew(temporary, bytes);
      await rename(temporary, path);
      await syncDirectory(dirname(path));
    } catch (error) {
      throw notWritten(path, error);
    }
  }

  async writeFirst(name: string, bytes: Buffer): Promise<void> {
    const path = join(this.folder, name);
    try {
      await this.makeFolder(dirname(path));
      await writeNew(path, bytes);
      await syncDirectory(dirname(path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw notWritten(path, error);
    }
  }

  async read(name: string, most: number): Promise<Buffer | undefined> {
    const path = join(this.folder, name);
    try {
      const file = await open(path, 'r');
      try {
        const { size } = await file.stat();
        const bytes = Buffer.alloc(Math.min(size, most + 1));
        for (let done = 0; done < bytes.length;) {
          const { bytesRead } = await file.read(bytes, done, bytes.length - done);
          if (bytesRead === 0) return bytes.subarray(0, done);
          done += bytesRead;
        }
        return bytes;
      } finally {
        await file.close();
      }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw new ConfigError(`${path} cannot be read: ${message}.`, { cause: error });
    }
  }

  close(): void {}

  private async makeFolder(folder: string): Promise<void> {
    const first = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (first === undefined) return;
    for (let made = folder; made.length >= first.length; made = dirname(made))
      await syncDirectory(dirname(made));
  }
}

async function writeNew(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

const notWritten = (path: string, error: unknown): ConfigError =>
  new ConfigError(`${path} cannot be written: ${(error as Error).message}. The backup is not complete.`, {
    cause: error,
  });
