import type { Readable } from 'node:stream';
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

/** The unpacked bytes of an entry; the stream fails when they are not as many as the directory says. */
export async function readEntryStream(zip: ZipFile, entry: Entry): Promise<Readable> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error === null) resolve(stream);
      else reject(corrupt(error));
    });
  });
}

const UTF8_NAME = 0x800;

/** The name as text, UTF-8 where the entry says so. */
export function entryName(entry: Entry): string {
  const raw = entry.fileNameRaw;
  return raw.toString((entry.generalPurposeBitFlag & UTF8_NAME) === 0 ? 'latin1' : 'utf8');
}

const corrupt = (error: Error) => new CannotUnpack('corrupt', `zip: ${error.message}`, { cause: error });
