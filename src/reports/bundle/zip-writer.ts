import { createHash, type Hash } from 'node:crypto';
import { Zip, ZipDeflate, ZipPassThrough } from 'fflate';

/** What a file consists of, in any pieces. */
export type Pieces = AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>;

/** A file as it went into the archive. */
export interface Packed {
  readonly name: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

// Sizes and places in an archive without the 64-bit extension have four bytes.
const MAX_BYTES = 0xffff_ffff;
const PIECE_BYTES = 65_536;
// The same for every file, so that an archive says nothing of when it was made. fflate writes local times.
const NO_TIME = new Date(1980, 0, 1);

/** Writes an archive file by file and holds no more of it than a few pieces; whoever reads it sets the pace. */
export class ZipWriter {
  private readonly written: Uint8Array[] = [];
  private readonly all: Hash = createHash('sha256');
  private size = 0;
  private readonly zip = new Zip((error, chunk) => {
    if (error !== null) throw error;
    this.written.push(chunk);
  });

  /** What stands in the archive by now. */
  get soFar(): { readonly bytes: number; readonly sha256: string } {
    return { bytes: this.size, sha256: this.all.copy().digest('hex') };
  }

  /** @throws RangeError for more than 4 GiB in one file or altogether. */
  async *file(name: string, pieces: Pieces): AsyncGenerator<Uint8Array, Packed> {
    // What says how the others are packed stands in it as it is.
    const file = name.startsWith('manifest.') ? new ZipPassThrough(name) : new ZipDeflate(name, { level: 6 });
    const hash = createHash('sha256');
    file.mtime = NO_TIME;
    this.zip.add(file);
    let bytes = 0;
    for await (const piece of inLargePieces(pieces)) {
      hash.update(piece);
      bytes += piece.length;
      if (bytes > MAX_BYTES) throw new RangeError(`${name} is larger than 4 GiB; take a shorter period`);
      file.push(piece);
      yield* this.take();
    }
    file.push(new Uint8Array(), true);
    yield* this.take();
    return { name, bytes, sha256: hash.digest('hex') };
  }

  *end(): Generator<Uint8Array> {
    this.zip.end();
    yield* this.take();
  }

  private *take(): Generator<Uint8Array> {
    for (const chunk of this.written.splice(0)) {
      this.all.update(chunk);
      this.size += chunk.length;
      if (this.size > MAX_BYTES)
        throw new RangeError('the bundle is larger than 4 GiB; take a shorter period');
      yield chunk;
    }
  }
}

/** Lines of a hundred bytes each would cost more to hand over than to compress. */
async function* inLargePieces(pieces: Pieces): AsyncGenerator<Buffer> {
  let some: Buffer[] = [];
  let size = 0;
  for await (const piece of pieces) {
    const bytes = Buffer.from(piece as string);
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const part = bytes.subarray(at, at + PIECE_BYTES);
      some.push(part);
      size += part.length;
      if (size < PIECE_BYTES) continue;
      yield Buffer.concat(some);
      [some, size] = [[], 0];
    }
  }
  if (size > 0) yield Buffer.concat(some);
}
