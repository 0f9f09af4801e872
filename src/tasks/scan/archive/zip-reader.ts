import { Readable } from 'node:stream';
import { createInflateRaw } from 'node:zlib';
import { fromFd, type Entry, type ZipFile, type ZipFileOptions } from 'yauzl';
import type { SpoolFile } from '../../../s3/spool.js';
import { CannotUnpack } from './budget.js';
import { headBytesOf, trailerBytesOf, type Decryption, type ZipLock } from './zip-locks.js';

/** Names are raw bytes here: what they mean is decided for showing only, and nothing is ever written under them. */
export async function openZip(file: SpoolFile): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    fromFd(
      file.fd,
      { autoClose: false, lazyEntries: true, decodeStrings: false, validateEntrySizes: true },
      (error, zip) => {
        if (error === null) resolve(zip);
        else reject(corrupt(error));
      },
    );
  });
}

/** Where in the file yauzl reads its next directory record; its typings call this a boolean. */
export const directoryCursor = (zip: ZipFile): number => zip.readEntryCursor as unknown as number;

/** The directory, as far as it could be read and `count`, which may throw, allowed it. */
export async function readEntries(
  zip: ZipFile,
  count: () => void,
): Promise<{ entries: Entry[]; stopped?: CannotUnpack }> {
  const entries: Entry[] = [];
  return new Promise((resolve) => {
    zip.on('error', (error: Error) => resolve({ entries, stopped: corrupt(error) }));
    zip.on('end', () => resolve({ entries }));
    zip.on('entry', (entry: Entry) => {
      try {
        count();
      } catch (error) {
        resolve({ entries, stopped: error as CannotUnpack });
        return;
      }
      entries.push(entry);
      zip.readEntry();
    });
    zip.readEntry();
  });
}

/** What an entry unpacks to. */
export interface EntryStream {
  readonly bytes: Readable;
  /** Packed bytes behind the end of what was unpacked: some readers see a member there. Once `bytes` has ended. */
  leftBytes(): number;
}

/** The bytes of an entry as they stand in the archive. */
export async function readPacked(zip: ZipFile, entry: Entry): Promise<Readable> {
  return new Promise((resolve, reject) => {
    const opened = (error: Error | null, stream: Readable): void => {
      if (error === null) resolve(stream);
      else reject(corrupt(error));
    };
    // As it stands, whatever method and encryption it has.
    const raw: ZipFileOptions = { decodeFileData: false };
    if (entry.compressionMethod === 0 && !entry.isEncrypted()) zip.openReadStream(entry, opened);
    else zip.openReadStream(entry, raw, opened);
  });
}

/** Unpacks what is stored or deflated; how many bytes come out is for the caller to check. */
export function unpack(packed: Readable, method: number, packedBytes: number): EntryStream {
  if (method === 0) return { bytes: packed, leftBytes: () => 0 };
  const inflate = createInflateRaw();
  packed.on('error', (error) => inflate.destroy(error));
  inflate.on('close', () => packed.destroy());
  packed.pipe(inflate);
  return { bytes: inflate, leftBytes: () => packedBytes - inflate.bytesWritten };
}

/** The decrypted bytes of an entry. */
export function decrypted(packed: Readable, lock: ZipLock, decryption: Decryption): Readable {
  return Readable.from(plainPieces(packed, lock, decryption), { objectMode: false });
}

async function* plainPieces(
  packed: Readable,
  lock: ZipLock,
  decryption: Decryption,
): AsyncGenerator<Buffer, void> {
  let headLeft = headBytesOf(lock);
  const trailerBytes = trailerBytesOf(lock);
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of packed as AsyncIterable<Buffer>) {
    const bytes = chunk.subarray(Math.min(headLeft, chunk.length));
    headLeft -= chunk.length - bytes.length;
    held = Buffer.concat([held, bytes]);
    const ready = held.subarray(0, Math.max(0, held.length - trailerBytes));
    held = held.subarray(ready.length);
    if (ready.length > 0) yield decryption.update(ready);
  }
  decryption.end(held);
}

const UTF8_NAME = 0x800;

/** The name as text, UTF-8 where the entry says so. */
export function entryName(entry: Entry): string {
  const raw = entry.fileNameRaw;
  return raw.toString((entry.generalPurposeBitFlag & UTF8_NAME) === 0 ? 'latin1' : 'utf8');
}

const corrupt = (error: Error) => new CannotUnpack('corrupt', `zip: ${error.message}`, { cause: error });
