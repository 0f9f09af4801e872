import type { Readable } from 'node:stream';
import { createInflateRaw } from 'node:zlib';
import { fromFd, type Entry, type ZipFile } from 'yauzl';
import type { SpoolFile } from '../../../s3/spool.js';
import { CannotUnpack } from './budget.js';

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

/** Opens an entry that is stored or deflated; how many bytes come out is for the caller to check. */
export async function readEntryStream(zip: ZipFile, entry: Entry): Promise<EntryStream> {
  const isStored = entry.compressionMethod === 0;
  const packed = await new Promise<Readable>((resolve, reject) => {
    const opened = (error: Error | null, stream: Readable): void => {
      if (error === null) resolve(stream);
      else reject(corrupt(error));
    };
    if (isStored) zip.openReadStream(entry, opened);
    else zip.openReadStream(entry, { decompress: false, decrypt: null, start: null, end: null }, opened);
  });
  if (isStored) return { bytes: packed, leftBytes: () => 0 };
  const inflate = createInflateRaw();
  packed.on('error', (error) => inflate.destroy(error));
  inflate.on('close', () => packed.destroy());
  packed.pipe(inflate);
  return { bytes: inflate, leftBytes: () => entry.compressedSize - inflate.bytesWritten };
}

const UTF8_NAME = 0x800;

/** The name as text, UTF-8 where the entry says so. */
export function entryName(entry: Entry): string {
  const raw = entry.fileNameRaw;
  return raw.toString((entry.generalPurposeBitFlag & UTF8_NAME) === 0 ? 'latin1' : 'utf8');
}

const corrupt = (error: Error) => new CannotUnpack('corrupt', `zip: ${error.message}`, { cause: error });
