import { crc32 } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { SpoolFull, type SpoolFile } from '../../../s3/spool.js';
import { CannotUnpack, LayerCount } from './budget.js';
import type { ByteSink } from './byte-sink.js';
import type { Content } from './content.js';
import type { ArchiveWalk } from './walk.js';
import {
  directoryCursor,
  entryName,
  openZip,
  decrypted,
  readEntries,
  readPacked,
  unpack,
  type EntryStream,
} from './zip-reader.js';
import { headBytesOf, lockOf, trailerBytesOf, unlock, type ZipLock } from './zip-locks.js';
import { checkStructure } from './zip-structure.js';

const STORED = 0;
const DEFLATED = 8;
const AES_ENCRYPTED = 99;
// Bits of the general purpose flag: encrypted, strongly encrypted, directory encrypted.
const ANY_ENCRYPTION = 0x1 | 0x40 | 0x2000;

/** Reads a zip from disk when all of it has arrived: its directory stands at the end. */
export class ZipLayer implements ByteSink {
  private file: SpoolFile | undefined;
  private isOwn = false;

  constructor(
    private readonly walk: ArchiveWalk,
    private readonly parent: Content,
    /** Somebody else spools; `provide` brings the file. */
    private readonly isProvided: boolean,
  ) {}

  /** @throws CannotUnpack when the quota did not allow the spooling. */
  provide(spool: SpoolFile | 'full'): void {
    if (spool === 'full') throw new CannotUnpack('limit', 'no room in the spool (SCAN_SPOOL_BYTES)');
    this.file = spool;
  }

  async write(chunk: Buffer): Promise<void> {
    if (this.isProvided) return;
    if (this.file === undefined) {
      this.file = await this.walk.options.spool.create();
      this.isOwn = true;
    }
    try {
      await this.file.write(chunk);
    } catch (error) {
      if (!(error instanceof SpoolFull)) throw error;
      throw new CannotUnpack('limit', 'no room in the spool (SCAN_SPOOL_BYTES)', { cause: error });
    }
  }

  async end(): Promise<void> {
    if (this.file === undefined) throw new CannotUnpack('limit', 'the archive was not spooled');
    try {
      await this.readAll(this.file);
    } finally {
      await this.closeOwn();
    }
  }

  abort(): void {
    void this.closeOwn();
  }

  private async closeOwn(): Promise<void> {
    if (!this.isOwn) return;
    this.isOwn = false;
    await this.file?.close();
  }

  private async readAll(file: SpoolFile): Promise<void> {
    const zip = await openZip(file);
    const directoryStart = directoryCursor(zip);
    const { entries, stopped } = await readEntries(zip, () => this.walk.budget.member());
    const { problems, byEntry } = await checkStructure(file, zip, entries, directoryStart);
    // A directory that was not read to its end says nothing about what stands behind it.
    if (stopped === undefined) for (const it of problems) this.walk.note(this.parent.path, 'corrupt', it);
    for (const entry of entries) {
      const problem = byEntry.get(entry);
      if (problem !== undefined) this.walk.note(this.pathOf(entry), 'corrupt', problem);
      await this.readEntry(zip, file, entry);
    }
    if (stopped !== undefined) throw stopped;
  }

  private async readEntry(zip: ZipFile, file: SpoolFile, entry: Entry): Promise<void> {
    const path = this.pathOf(entry);
    const isEncrypted =
      (entry.generalPurposeBitFlag & ANY_ENCRYPTION) !== 0 || entry.compressionMethod === AES_ENCRYPTED;
    const lock = isEncrypted ? lockOf(entry) : undefined;
    const method = lock?.method ?? entry.compressionMethod;
    if ((!isEncrypted || lock !== undefined) && method !== STORED && method !== DEFLATED) {
      this.walk.note(path, isEncrypted ? 'encrypted' : 'unsupported', `zip compression method ${method}`);
      return;
    }
    const open = isEncrypted ? await this.unlocked(zip, file, entry, lock) : () => packedStream(zip, entry);
    if (open === undefined) {
      this.walk.note(path, 'encrypted', 'a member with a password');
      return;
    }
    if (isEncrypted) this.walk.unlockedIn(this.parent.path);
    const content = this.parent.member(entryName(entry));
    try {
      await this.pour(await open(), crcOf(entry, lock), entry, content, file);
    } catch (error) {
      if (!(error instanceof CannotUnpack)) {
        content.abort();
        throw error;
      }
      await content.breakOff();
      this.walk.stopped(path, error);
      if (error === this.walk.budget.exhausted) throw error;
      return;
    }
    await content.end();
  }

  /** Tries the bucket's passwords. @returns how to read the member, `undefined` when none is right */
  private async unlocked(
    zip: ZipFile,
    file: SpoolFile,
    entry: Entry,
    lock: ZipLock | undefined,
  ): Promise<(() => Promise<EntryStream>) | undefined> {
    const { passwords, budget } = this.walk;
    const bytes = lock === undefined ? 0 : entry.compressedSize - headBytesOf(lock) - trailerBytesOf(lock);
    if (lock === undefined || !entry.isEncrypted() || bytes < 0) return undefined;
    const head = await readHead(zip, entry, headBytesOf(lock));
    for (const password of passwords.candidates()) {
      if (budget.leftMs() === 0) return undefined;
      const begin = await unlock(lock, head, password);
      if (begin === undefined) continue;
      const open = async (): Promise<EntryStream> =>
        unpack(decrypted(await readPacked(zip, entry), lock, begin()), lock.method, bytes);
      // The quick check lets one wrong password of 256 pass; nothing is shown before the whole member agrees.
      if (!passwords.isProven(password) && !(await this.fits(await open(), entry, lock, file))) continue;
      passwords.prove(password);
      return open;
    }
    return undefined;
  }

  private async fits(stream: EntryStream, entry: Entry, lock: ZipLock, file: SpoolFile): Promise<boolean> {
    const { budget } = this.walk;
    let sum = 0;
    let bytes = 0;
    try {
      for await (const chunk of stream.bytes as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        sum = crc32(chunk, sum);
        // Too much for the real reading too, which will say so.
        if (
          budget.isBomb(bytes, Math.min(entry.compressedSize, file.sizeBytes)) ||
          bytes > budget.limits.memberBytes
        )
          break;
        if (bytes > entry.uncompressedSize || budget.leftMs() === 0) return false;
      }
    } catch {
      return false;
    } finally {
      stream.bytes.destroy();
    }
    const crc = crcOf(entry, lock);
    return crc === undefined || crc === sum || bytes < entry.uncompressedSize;
  }

  private async pour(
    stream: EntryStream,
    crc: number | undefined,
    entry: Entry,
    content: Content,
    file: SpoolFile,
  ): Promise<void> {
    // What the directory says of the packed size is the uploader's word; the archive itself bounds it.
    const packed = Math.min(entry.compressedSize, file.sizeBytes);
    const count = new LayerCount(this.walk.budget, () => packed);
    const chunks = stream.bytes[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    let sum = 0;
    let bytes = 0;
    try {
      for (let step = await next(chunks); step.done !== true; step = await next(chunks)) {
        sum = crc32(step.value, sum);
        bytes += step.value.length;
        if (bytes > entry.uncompressedSize) break;
        count.out(step.value.length);
        await content.write(step.value);
      }
    } finally {
      stream.bytes.destroy();
    }
    if (bytes !== entry.uncompressedSize)
      throw new CannotUnpack('corrupt', 'zip: a member has another size than the directory says');
    if (stream.leftBytes() > 0)
      throw new CannotUnpack('corrupt', 'zip: something follows inside the packed bytes of a member');
    if (crc !== undefined && sum !== crc)
      throw new CannotUnpack('corrupt', 'zip: a member differs from its checksum');
  }

  private pathOf(entry: Entry): string {
    return this.parent.pathOf(entryName(entry));
  }
}

async function packedStream(zip: ZipFile, entry: Entry): Promise<EntryStream> {
  return unpack(await readPacked(zip, entry), entry.compressionMethod, entry.compressedSize);
}

async function readHead(zip: ZipFile, entry: Entry, bytes: number): Promise<Buffer> {
  const packed = await readPacked(zip, entry);
  let head: Buffer = Buffer.alloc(0);
  const chunks = packed[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (let step = await next(chunks); step.done !== true; step = await next(chunks)) {
      head = Buffer.concat([head, step.value]);
      if (head.length >= bytes) break;
    }
  } finally {
    packed.destroy();
  }
  return head.subarray(0, bytes);
}

/** WinZip's second way of AES leaves the checksum out: it would tell about the content. */
const crcOf = (entry: Entry, lock: ZipLock | undefined): number | undefined =>
  lock?.kind === 'aes' && !lock.hasCrc ? undefined : entry.crc32;

async function next(chunks: AsyncIterator<Buffer>): Promise<IteratorResult<Buffer>> {
  try {
    return await chunks.next();
  } catch (error) {
    if (error instanceof CannotUnpack) throw error;
    throw new CannotUnpack('corrupt', `zip: ${(error as Error).message}`, { cause: error });
  }
}
