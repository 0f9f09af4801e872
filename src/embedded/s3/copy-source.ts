import { createHash } from 'node:crypto';
import { checkCopySource } from './conditions.js';
import { startChecksum } from './checksums.js';
import type { Checksum, ChecksumAlgorithm } from './checksums.js';
import { findVersion, readVersionId } from './find-version.js';
import type { Context, S3Request } from './message.js';
import type { ObjectVersion } from './model.js';
import { invalidArgument } from './s3-error.js';
import { percentDecode } from './uri.js';

export interface CopySource {
  readonly bucket: string;
  readonly key: string;
  readonly version: ObjectVersion;
  /** For x-amz-copy-source-version-id; absent in buckets that never had versioning. */
  readonly versionId: string | undefined;
  /** Whether the client chose the version itself. */
  readonly isPinned: boolean;
}

/** Finds what x-amz-copy-source names and checks the conditions on it. */
export function findCopySource({ headers }: S3Request, { store }: Context): CopySource {
  const header = headers.get('x-amz-copy-source') ?? '';
  const found = /^\/?([^/?]+)\/([^?]+)(?:\?versionId=([^&]*))?$/.exec(header);
  if (found === null) {
    throw invalidArgument(
      'x-amz-copy-source',
      header,
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
    );
  }
  const bucket = percentDecode(found[1] ?? '');
  const key = percentDecode(found[2] ?? '');
  const wanted = readVersionId(found[3] === undefined ? undefined : percentDecode(found[3]));
  const { versioning } = store.bucket(bucket);
  const version = findVersion(store.catalog.versions(bucket, key), key, wanted);
  checkCopySource(headers, version);
  return {
    bucket,
    key,
    version,
    versionId: versioning === '' ? undefined : version.id,
    isPinned: wanted !== undefined,
  };
}

/** The sums over stored bytes that go somewhere else, or that only need to be known. */
export class BodyDigest {
  private readonly md5 = createHash('md5');
  private readonly hasher;

  constructor(private readonly algorithm: ChecksumAlgorithm | undefined) {
    this.hasher = algorithm && startChecksum(algorithm);
  }

  async *pass(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const piece of bytes) {
      this.md5.update(piece);
      this.hasher?.update(piece);
      yield piece;
    }
  }

  /** To be called once, when all bytes have passed. */
  finish(): { readonly md5: string; readonly checksum?: Checksum } {
    const md5 = this.md5.digest('hex');
    if (this.algorithm === undefined || this.hasher === undefined) return { md5 };
    const value = this.hasher.digest().toString('base64');
    return { md5, checksum: { algorithm: this.algorithm, type: 'FULL_OBJECT', value } };
  }
}
