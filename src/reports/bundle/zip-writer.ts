import { createHash, type Hash } from 'node:crypto';
import { finished } from 'node:stream/promises';
import { createDeflateRaw } from 'node:zlib';
import { Zip, ZipPassThrough } from 'fflate';

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
const DEFLATE = 8;
const NOTHING = new Uint8Array();
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
    const isPacked = !name.startsWith('manifest.');
    const file = new Counted(name, isPacked);
    file.mtime = NO_TIME;
    this.zip.add(file);
    const hash = createHash('sha256');
    const counted = inLargePieces(pieces, (piece) => {
      hash.update(piece);
      file.push(piece);
      if (file.size > MAX_BYTES) throw new RangeError(`${name} is larger than 4 GiB; take a shorter period`);
    });
    for await (const chunk of isPacked ? deflated(counted) : counted) {
      file.give(chunk, false);
      yield* this.take();
    }
    file.push(NOTHING, true);
    file.give(NOTHING, true);
    yield* this.take();
    return { name, bytes: file.size, sha256: hash.digest('hex') };
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

/** An entry that counts what is pushed into it; what comes of that is given to the archive apart. */
class Counted extends ZipPassThrough {
  constructor(name: string, isPacked: boolean) {
    super(name);
    if (isPacked) this.compression = DEFLATE;
  }

  protected override process(): void {
    // See give.
  }

  give(bytes: Uint8Array, isLast: boolean): void {
    // Memory of a pool is as good; the package's types do not know.
    this.ondata(null, bytes as Uint8Array<ArrayBuffer>, isLast);
  }
}

/**
 * zlib's own threads do it: fflate's would keep all else waiting meanwhile. Piece by piece, because whoever reads the result
 * may write with the same connection to the database that the pieces are read by.
 */
async function* deflated(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const deflate = createDeflateRaw();
  const packed: Buffer[] = [];
  deflate.on('data', (chunk: Buffer) => packed.push(chunk));
  try {
    for await (const piece of pieces) {
      await new Promise<void>((resolve, reject) => {
        deflate.write(piece, (error) => (error == null ? resolve() : reject(error)));
      });
      yield* packed.splice(0);
    }
    deflate.end();
    await finished(deflate);
    yield* packed.splice(0);
  } finally {
    deflate.destroy();
  }
}

/** Lines of a hundred bytes each would cost more to hand over than to compress. */
async function* inLargePieces(pieces: Pieces, seen: (piece: Buffer) => void): AsyncGenerator<Buffer> {
  let some: Buffer[] = [];
  let size = 0;
  const take = (): Buffer => {
    const piece = Buffer.concat(some);
    [some, size] = [[], 0];
    seen(piece);
    return piece;
  };
  for await (const piece of pieces) {
    const bytes = Buffer.from(piece as string);
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const part = bytes.subarray(at, at + PIECE_BYTES);
      some.push(part);
      size += part.length;
      if (size >= PIECE_BYTES) yield take();
    }
  }
  if (size > 0) yield take();
}
