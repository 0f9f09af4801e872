import { createHash } from 'node:crypto';
import {
  algorithmOfHeader,
  checksumHeader,
  isChecksumValue,
  parseAlgorithm,
  startChecksum,
} from './checksums.js';
import type { Checksum, ChecksumAlgorithm } from './checksums.js';
import { decodeChunked } from './chunked-body.js';
import type { RequestHeaders } from './request-headers.js';
import {
  badDigest,
  entityTooLarge,
  incompleteBody,
  invalidArgument,
  invalidRequest,
  notImplemented,
  S3Error,
} from './s3-error.js';
import { isSame } from './sigv4.js';
import type { Authenticated } from './sigv4.js';

/** What is known of a body when all of it has been read and has proved to be what the client said. */
export interface Received {
  readonly size: number;
  /** Hex. */
  readonly md5: string;
  /** The checksum that the client gave, or asked for. */
  readonly checksum: Checksum | undefined;
}

/**
 * The body of a request, to be read once: decoded from `aws-chunked`, and checked against its length,
 * x-amz-content-sha256, Content-MD5 and x-amz-checksum-* (in the header or the trailer).
 */
export class RequestBody {
  constructor(
    private readonly source: AsyncIterable<Buffer>,
    private readonly headers: RequestHeaders,
    private readonly auth: Authenticated,
  ) {}

  /** Whether the client said how to check the body. */
  get hasIntegrityHeader(): boolean {
    return this.headers.get('content-md5') !== undefined || this.findChecksum() !== undefined;
  }

  /**
   * Hands the bytes to `sink` as they come, and resolves when both are content.
   *
   * `algorithm` is computed when the client gave no checksum itself; when it gave one of another
   * algorithm the request is refused.
   */
  async stream<T>(
    maxBytes: number,
    algorithm: ChecksumAlgorithm | undefined,
    sink: (bytes: AsyncIterable<Buffer>) => Promise<T>,
  ): Promise<{ readonly received: Received; readonly result: T }> {
    const given = this.findChecksum();
    if (given !== undefined && algorithm !== undefined && given.algorithm !== algorithm) {
      throw invalidRequest(
        `Checksum Type mismatch occurred, expected checksum Type: ${algorithm.toLowerCase()}, actual checksum Type: ${given.algorithm.toLowerCase()}`,
      );
    }
    return this.consume(
      maxBytes,
      given ?? (algorithm && { algorithm, value: undefined, isTrailer: false }),
      sink,
    );
  }

  private async consume<T>(
    maxBytes: number,
    checksum: GivenChecksum | undefined,
    sink: (bytes: AsyncIterable<Buffer>) => Promise<T>,
  ): Promise<{ readonly received: Received; readonly result: T }> {
    const length = this.length();
    if (length > maxBytes) throw entityTooLarge(maxBytes);
    const checks = new Checks(length, this.payloadSha256(), this.contentMd5(), checksum);
    const result = await sink(this.pass(this.decode(length, checks.trailers), checks));
    return { received: checks.finish(), result };
  }

  /**
   * A body small enough for memory. When a completed upload gives a checksum header it is that of the object,
   * not of this body: then `isChecksumOfBody` is false.
   */
  async bytes(maxBytes: number, { isChecksumOfBody } = { isChecksumOfBody: true }): Promise<Buffer> {
    if (
      this.headers.get('content-length') === undefined &&
      this.headers.get('transfer-encoding') === undefined
    ) {
      return Buffer.alloc(0);
    }
    const collect = async (bytes: AsyncIterable<Buffer>): Promise<Buffer> => {
      const pieces: Buffer[] = [];
      for await (const piece of bytes) pieces.push(piece);
      return Buffer.concat(pieces);
    };
    return (await this.consume(maxBytes, isChecksumOfBody ? this.findChecksum() : undefined, collect)).result;
  }

  /** Ends only when the checks hold, so that a sink that has seen the end may keep what it has. */
  private async *pass(source: AsyncIterable<Buffer>, checks: Checks): AsyncGenerator<Buffer> {
    for await (const piece of source) {
      checks.update(piece);
      yield piece;
    }
    checks.verify();
  }

  private get mode(): string {
    return this.auth.payloadHash;
  }

  /** The number of bytes that the client says are in the body, decoded. */
  private length(): number {
    const name = this.mode.startsWith('STREAMING-') ? 'x-amz-decoded-content-length' : 'content-length';
    const value = this.headers.get(name);
    if (value === undefined)
      throw new S3Error('MissingContentLength', 411, `You must provide the ${name} HTTP header.`);
    if (!/^\d{1,15}$/.test(value)) throw invalidArgument(name, value, `${name} must be a number of bytes.`);
    return Number(value);
  }

  private decode(decodedLength: number, trailers: Map<string, string>): AsyncIterable<Buffer> {
    if (!this.mode.startsWith('STREAMING-')) return this.source;
    const trailerNames = this.trailerNames();
    const signed = this.mode.startsWith('STREAMING-AWS4-') ? this.auth : undefined;
    return decodeChunked(this.source, { signed, decodedLength, trailerNames }, trailers);
  }

  private trailerNames(): string[] {
    const names = (this.headers.get('x-amz-trailer') ?? '')
      .toLowerCase()
      .split(',')
      .map((name) => name.trim());
    return names.filter((name) => name !== '');
  }

  /** The hash that the body must have, `undefined` when it is not signed as a whole. */
  private payloadSha256(): string | undefined {
    if (/^[0-9a-f]{64}$/.test(this.mode)) return this.mode;
    switch (this.mode) {
      case 'UNSIGNED-PAYLOAD':
      case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
        return undefined;
      case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER':
      case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
        if (this.trailerNames().length > 0) return undefined;
        throw invalidRequest('The x-amz-trailer header must name the trailers of this body.');
      default:
        if (this.mode.startsWith('STREAMING-')) throw notImplemented(`The payload mode ${this.mode}`);
        throw invalidArgument(
          'x-amz-content-sha256',
          this.mode,
          'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a STREAMING- mode, or a valid sha256 value.',
        );
    }
  }

  private contentMd5(): string | undefined {
    const value = this.headers.get('content-md5');
    if (value === undefined) return undefined;
    const bytes = Buffer.from(value, 'base64');
    if (bytes.length !== 16 || bytes.toString('base64') !== value) {
      throw new S3Error('InvalidDigest', 400, 'The Content-MD5 you specified was invalid.');
    }
    return bytes.toString('hex');
  }

  private findChecksum(): GivenChecksum | undefined {
    const isTrailer = new Set(this.trailerNames());
    const found = [...this.headers.names(), ...isTrailer].flatMap((header) => {
      const algorithm = algorithmOfHeader(header);
      if (algorithm === undefined) return [];
      return [{ algorithm, value: this.headers.get(header), isTrailer: isTrailer.has(header) }];
    });
    const [first] = found;
    if (found.length > 1) {
      throw invalidRequest(
        'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
      );
    }
    const announced = this.headers.get('x-amz-sdk-checksum-algorithm');
    if (announced !== undefined && first?.algorithm !== parseAlgorithm(announced)) {
      throw invalidRequest(
        'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
      );
    }
    if (first?.value !== undefined && !isChecksumValue(first.algorithm, first.value)) {
      throw invalidRequest(`Value for ${checksumHeader(first.algorithm)} header is invalid.`);
    }
    return first;
  }
}

interface GivenChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** `undefined` when it follows in the trailer, or is only to be computed. */
  readonly value: string | undefined;
  readonly isTrailer: boolean;
}

/** All the sums over one body. */
class Checks {
  readonly trailers = new Map<string, string>();
  private size = 0;
  private readonly md5 = createHash('md5');
  private readonly sha256 = createHash('sha256');
  private readonly hasher;
  private received: Received | undefined;

  constructor(
    private readonly length: number,
    private readonly wantedSha256: string | undefined,
    private readonly wantedMd5: string | undefined,
    private readonly checksum: GivenChecksum | undefined,
  ) {
    this.hasher = checksum && startChecksum(checksum.algorithm);
  }

  update(piece: Buffer): void {
    this.size += piece.length;
    this.md5.update(piece);
    if (this.wantedSha256 !== undefined) this.sha256.update(piece);
    this.hasher?.update(piece);
  }

  verify(): void {
    if (this.size !== this.length)
      throw incompleteBody(`${this.size} bytes came, ${this.length} were announced.`);
    if (this.wantedSha256 !== undefined && !isSame(this.sha256.digest('hex'), this.wantedSha256)) {
      const message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
      throw new S3Error('XAmzContentSHA256Mismatch', 400, message);
    }
    const md5 = this.md5.digest('hex');
    if (this.wantedMd5 !== undefined && this.wantedMd5 !== md5) throw badDigest('Content-MD5');
    this.received = { size: this.size, md5, checksum: this.verifyChecksum() };
  }

  finish(): Received {
    if (this.received === undefined) throw new Error('A body was used before its end was seen.');
    return this.received;
  }

  private verifyChecksum(): Checksum | undefined {
    if (this.checksum === undefined || this.hasher === undefined) return undefined;
    const { algorithm, isTrailer } = this.checksum;
    const value = this.hasher.digest().toString('base64');
    const given = isTrailer ? this.trailers.get(checksumHeader(algorithm)) : this.checksum.value;
    if (given !== undefined && !isChecksumValue(algorithm, given)) {
      throw invalidRequest(`Value for ${checksumHeader(algorithm)} trailing header is invalid.`);
    }
    if (given !== undefined && given !== value) throw badDigest(algorithm);
    return { algorithm, type: 'FULL_OBJECT', value };
  }
}
