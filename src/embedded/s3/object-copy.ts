import { checksumElement, parseAlgorithm } from './checksums.js';
import { writeGuard } from './conditions.js';
import { BodyDigest, findCopySource } from './copy-source.js';
import type { CopySource } from './copy-source.js';
import { versionIdHeader } from './find-version.js';
import { isoSeconds, MAX_OBJECT_BYTES, xmlResponse } from './message.js';
import type { Context, Handler, S3Request } from './message.js';
import type { ObjectVersion } from './model.js';
import type { RequestHeaders } from './request-headers.js';
import { invalidArgument, invalidRequest } from './s3-error.js';
import type { NewVersion } from './store.js';
import { parseTagHeader } from './tags.js';
import { contentHeaders, userMetadata } from './write-headers.js';

/**
 * CopyObject. The copy shares the files of its source, so it costs no room; only when the source was made of parts,
 * or another checksum is asked for, are the bytes read through once.
 */
export const copyObject: Handler = async (request, context) => {
  const { bucket, key, headers, origin } = request;
  const { store } = context;
  store.bucket(bucket);
  const source = findCopySource(request, context);
  const guard = writeGuard(headers, key);
  const kept = keptProperties(headers, source.version);
  checkNotPointless(request, source);
  if (source.version.size > MAX_OBJECT_BYTES) {
    throw invalidRequest(
      `The specified copy source is larger than the maximum allowable size for a copy source: ${MAX_OBJECT_BYTES}`,
    );
  }
  const { slices } = source.version;
  store.blobs.retain(slices);
  try {
    const content = await copiedContent(headers, source.version, context);
    const event = { name: 'ObjectCreated:Copy', origin };
    const { version, versioning } = await store.putVersion(
      bucket,
      key,
      { ...content, ...kept },
      guard,
      event,
    );
    return xmlResponse(
      'CopyObjectResult',
      {
        LastModified: isoSeconds(version.modifiedAt),
        ETag: `"${version.etag}"`,
        ChecksumType: version.checksum?.type,
        ...(version.checksum && { [checksumElement(version.checksum.algorithm)]: version.checksum.value }),
      },
      { ...versionIdHeader(versioning, version.id), 'x-amz-copy-source-version-id': source.versionId },
    );
  } finally {
    store.blobs.release(slices);
  }
};

type Kept = Pick<ObjectVersion, 'headers' | 'metadata' | 'tags'>;

function keptProperties(headers: RequestHeaders, source: ObjectVersion): Kept {
  const replacesMetadata = readDirective(headers, 'x-amz-metadata-directive');
  const replacesTags = readDirective(headers, 'x-amz-tagging-directive');
  return {
    headers: replacesMetadata ? contentHeaders(headers) : source.headers,
    metadata: replacesMetadata ? userMetadata(headers) : source.metadata,
    tags: replacesTags ? parseTagHeader(headers.get('x-amz-tagging')) : source.tags,
  };
}

function readDirective(headers: RequestHeaders, name: string): boolean {
  const value = headers.get(name) ?? 'COPY';
  if (value !== 'COPY' && value !== 'REPLACE')
    throw invalidArgument(name, value, `Unknown ${name}: use COPY or REPLACE.`);
  return value === 'REPLACE';
}

/** S3 refuses a copy onto itself that changes nothing. */
function checkNotPointless({ bucket, key, headers }: S3Request, source: CopySource): void {
  const changes = ['x-amz-metadata-directive', 'x-amz-tagging-directive'].some(
    (name) => headers.get(name) === 'REPLACE',
  );
  const isOnItself = source.bucket === bucket && source.key === key && !source.isPinned;
  if (isOnItself && !changes && headers.get('x-amz-checksum-algorithm') === undefined) {
    throw invalidRequest(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
}

async function copiedContent(
  headers: RequestHeaders,
  source: ObjectVersion,
  { store }: Context,
): Promise<Pick<NewVersion, 'size' | 'etag' | 'slices' | 'checksum'>> {
  const { size, slices, checksum } = source;
  const asked = headers.get('x-amz-checksum-algorithm');
  const algorithm = asked === undefined ? checksum?.algorithm : parseAlgorithm(asked);
  const hasChecksum = checksum?.algorithm === algorithm && checksum?.type !== 'COMPOSITE';
  if (source.partSizes === undefined && hasChecksum) {
    return { size, slices, etag: source.etag, ...(checksum && { checksum }) };
  }
  const digest = new BodyDigest(algorithm);
  for await (const _piece of digest.pass(store.blobs.read(slices, 0, size)));
  const { md5, ...sum } = digest.finish();
  return { size, slices, etag: md5, ...sum };
}
