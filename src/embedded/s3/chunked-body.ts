import { createHash } from 'node:crypto';
import { ByteReader } from './byte-reader.js';
import { incompleteBody, invalidRequest, S3Error } from './s3-error.js';
import { isSame, sha256, signPiece } from './sigv4.js';
import type { Authenticated } from './sigv4.js';

const MAX_LINE = 1024;
const MAX_TRAILERS = 8;
// S3's own rule; without it a body could be made of signed single bytes.
const MIN_CHUNK = 8192;
const EMPTY_HASH = sha256('');

export interface ChunkedBody {
  /** Checks chunk and trailer signatures when given. */
  readonly signed: Authenticated | undefined;
  /** From x-amz-decoded-content-length. */
  readonly decodedLength: number;
  /** The names in x-amz-trailer, lower case. */
  readonly trailerNames: readonly string[];
}

/**
 * Decodes the `aws-chunked` coding of an upload: chunks with or without signatures, then trailers.
 *
 * Yields bytes before the signature of their chunk is seen, so what was yielded counts only when the
 * generator has ended. Trailers are put into `trailers` before it ends.
 */
export async function* decodeChunked(
  source: AsyncIterable<Buffer>,
  body: ChunkedBody,
  trailers: Map<string, string>,
): AsyncGenerator<Buffer> {
  const reader = new ByteReader(source);
  const signatures = new SignatureChain(body.signed);
  let total = 0;
  let wasShort = false;
  try {
    for (;;) {
      const { size, signature } = parseChunkHeader(await reader.line(MAX_LINE), body.signed !== undefined);
      if (size === 0) {
        signatures.checkChunk(EMPTY_HASH, signature);
        break;
      }
      if (wasShort) throw tooShort();
      wasShort = size < MIN_CHUNK;
      total += size;
      if (total > body.decodedLength)
        throw incompleteBody('the chunks hold more than x-amz-decoded-content-length.');
      const hash = createHash('sha256');
      for (let left = size; left > 0;) {
        const piece = await reader.take(left);
        left -= piece.length;
        if (body.signed !== undefined) hash.update(piece);
        yield piece;
      }
      if ((await reader.line(2)) !== '') throw incompleteBody('a chunk is longer than it says.');
      signatures.checkChunk(body.signed === undefined ? '' : hash.digest('hex'), signature);
    }
    if (total < body.decodedLength)
      throw incompleteBody('the chunks hold less than x-amz-decoded-content-length.');
    await readTrailers(reader, body, signatures, trailers);
    if (!(await reader.isAtEnd())) throw invalidRequest('There is something after the last chunk.');
  } finally {
    await reader.release();
  }
}

function parseChunkHeader(line: string | undefined, isSigned: boolean): { size: number; signature: string } {
  const found = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line ?? '');
  if (found === null) throw incompleteBody('a chunk header is missing or malformed.');
  if (isSigned && found[2] === undefined) throw incompleteBody('a chunk has no signature.');
  return { size: Number.parseInt(found[1] ?? '', 16), signature: found[2] ?? '' };
}

async function readTrailers(
  reader: ByteReader,
  body: ChunkedBody,
  signatures: SignatureChain,
  trailers: Map<string, string>,
): Promise<void> {
  let canonical = '';
  let signature: string | undefined;
  for (let count = 0; ; count += 1) {
    const line = await reader.line(MAX_LINE);
    if (line === undefined || line === '') break;
    const found = /^([A-Za-z0-9-]+):\s*(.*?)\s*$/.exec(line);
    if (found === null || count >= MAX_TRAILERS) throw malformedTrailer();
    const name = (found[1] ?? '').toLowerCase();
    const value = found[2] ?? '';
    if (name === 'x-amz-trailer-signature') {
      signature = value;
    } else {
      if (!body.trailerNames.includes(name) || trailers.has(name)) throw malformedTrailer();
      trailers.set(name, value);
      canonical += `${name}:${value}\n`;
    }
  }
  if (body.trailerNames.some((name) => !trailers.has(name))) throw malformedTrailer();
  if (body.trailerNames.length > 0)
    signatures.checkTrailer(sha256(Buffer.from(canonical, 'latin1')), signature);
}

/** Each signature covers the one before it, from the request's own on. */
class SignatureChain {
  private previous: string;

  constructor(private readonly signed: Authenticated | undefined) {
    this.previous = signed?.signature ?? '';
  }

  checkChunk(hash: string, given: string): void {
    if (this.signed === undefined) return;
    this.check(given, signPiece(this.signed, 'PAYLOAD', this.previous, [EMPTY_HASH, hash]));
  }

  checkTrailer(hash: string, given: string | undefined): void {
    if (this.signed === undefined) return;
    this.check(given ?? '', signPiece(this.signed, 'TRAILER', this.previous, [hash]));
  }

  private check(given: string, expected: string): void {
    if (!isSame(given, expected)) {
      const message =
        'The chunk or trailer signature we calculated does not match the signature you provided.';
      throw new S3Error('SignatureDoesNotMatch', 403, message);
    }
    this.previous = expected;
  }
}

const tooShort = (): S3Error =>
  new S3Error(
    'InvalidChunkSizeError',
    403,
    `Only the last chunk is allowed to have a size less than ${MIN_CHUNK} bytes`,
  );

const malformedTrailer = (): S3Error =>
  new S3Error(
    'MalformedTrailerError',
    400,
    'The request contained trailing data that was not well-formed or did not conform to our published schema.',
  );
