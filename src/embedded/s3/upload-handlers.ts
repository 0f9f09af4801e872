import { allowsType, checksumElement, defaultType, parseAlgorithm } from './checksums.js';
import { completedVersion, findCompleted, readCompletion } from './complete-upload.js';
import { parseRange, writeGuard } from './conditions.js';
import { BodyDigest, findCopySource } from './copy-source.js';
import { versionIdHeader } from './find-version.js';
import { readLimit, readListParameters } from './list-parameters.js';
import { isoSeconds, MAX_OBJECT_BYTES, OWNER_ID, xmlResponse } from './message.js';
import type { Handler } from './message.js';
import type { Upload, UploadPart } from './model.js';
import { storeBody } from './object-write.js';
import type { RequestHeaders } from './request-headers.js';
import { entityTooLarge, invalidArgument, invalidRequest, S3Error } from './s3-error.js';
import type { Written } from './store.js';
import { parseTagHeader } from './tags.js';
import { encodePath } from './uri.js';
import { takePage } from './walk-keys.js';
import { checksumHeaders, contentHeaders, userMetadata } from './write-headers.js';
import type { XmlContent } from './write-xml.js';

// Ten thousand parts with number, entity tag and checksum.
const MAX_COMPLETION_BYTES = 4 * 1024 * 1024;
const MAX_PARTS_LISTED = 1000;

/** CreateMultipartUpload. */
export const createUpload: Handler = async ({ bucket, key, headers }, { store }) => {
  const checksum = readUploadChecksum(headers);
  const upload = await store.createUpload({
    bucket,
    key,
    headers: contentHeaders(headers),
    metadata: userMetadata(headers),
    tags: parseTagHeader(headers.get('x-amz-tagging')),
    ...(checksum && { checksum }),
  });
  return xmlResponse(
    'InitiateMultipartUploadResult',
    { Bucket: bucket, Key: key, UploadId: upload.id },
    { 'x-amz-checksum-algorithm': checksum?.algorithm, 'x-amz-checksum-type': checksum?.type },
  );
};

export const uploadPart: Handler = async (request, context) => {
  const { store } = context;
  const { upload } = store.upload(request.bucket, request.key, request.query.get('uploadId') ?? '');
  const number = readPartNumber(request.query);
  const part = await storeBody(request, context, upload.checksum?.algorithm, async ({ received, slices }) => {
    const { size, md5, checksum } = received;
    return store.putPart(upload, { number, size, etag: md5, slices, ...(checksum && { checksum }) });
  });
  const { 'x-amz-checksum-type': _type, ...sums } = checksumHeaders(part.checksum);
  return { status: 200, headers: { etag: `"${part.etag}"`, ...sums } };
};

/** UploadPartCopy. The bytes are copied, so that a part is always one file. */
export const uploadPartCopy: Handler = async (request, context) => {
  const { store } = context;
  const { upload } = store.upload(request.bucket, request.key, request.query.get('uploadId') ?? '');
  const number = readPartNumber(request.query);
  const source = findCopySource(request, context);
  const { start, end } = readCopyRange(request.headers, source.version.size);
  const { slices } = source.version;
  store.blobs.retain(slices);
  const digest = new BodyDigest(upload.checksum?.algorithm);
  const slice = await store.blobs
    .write(digest.pass(store.blobs.read(slices, start, end)))
    .finally(() => store.blobs.release(slices));
  const part = await store
    .putPart(upload, {
      number,
      size: end - start,
      slices: slice === undefined ? [] : [slice],
      ...named(digest.finish()),
    })
    .catch((error: unknown) => {
      if (error instanceof S3Error) store.blobs.discard(slice);
      throw error;
    });
  return xmlResponse(
    'CopyPartResult',
    { LastModified: isoSeconds(part.modifiedAt), ETag: `"${part.etag}"`, ...checksumContent(part) },
    { 'x-amz-copy-source-version-id': source.versionId },
  );
};

/** CompleteMultipartUpload. Asking again for an upload that was completed gives the same answer again. */
export const completeUpload: Handler = async (request, context) => {
  const { bucket, key, headers, body, query, origin } = request;
  const { store, region } = context;
  const id = query.get('uploadId') ?? '';
  const listed = readCompletion(await body.bytes(MAX_COMPLETION_BYTES, { isChecksumOfBody: false }));
  let written: Written;
  try {
    const assemble = (open: Parameters<typeof completedVersion>[0]) =>
      completedVersion(open, listed, headers);
    written = await store.completeUpload(bucket, key, id, assemble, writeGuard(headers, key), origin);
  } catch (error) {
    const version = findCompleted(store.catalog.versions(bucket, key), id, listed);
    if (!(error instanceof S3Error && error.code === 'NoSuchUpload') || version === undefined) throw error;
    written = { version, versioning: store.bucket(bucket).versioning };
  }
  const { version, versioning } = written;
  const host = headers.get('host') ?? region;
  return xmlResponse(
    'CompleteMultipartUploadResult',
    {
      Location: `http://${host}/${encodePath(`${bucket}/${key}`)}`,
      Bucket: bucket,
      Key: key,
      ETag: `"${version.etag}"`,
      ...checksumContent(version),
      ChecksumType: version.checksum?.type,
    },
    versionIdHeader(versioning, version.id),
  );
};

export const abortUpload: Handler = async ({ bucket, key, query }, { store }) => {
  await store.abortUpload(bucket, key, query.get('uploadId') ?? '');
  return { status: 204 };
};

export const listParts: Handler = async ({ bucket, key, query }, { store }) => {
  const { upload, parts } = store.upload(bucket, key, query.get('uploadId') ?? '');
  const { encode, encodingType } = readListParameters(query);
  const limit = readLimit(query, 'max-parts', MAX_PARTS_LISTED);
  const marker = readLimit(query, 'part-number-marker', 2 ** 31 - 1) % (2 ** 31 - 1);
  const after = [...parts.values()]
    .filter((part) => part.number > marker)
    .sort((a, b) => a.number - b.number);
  const { page, isTruncated } = takePage(after, limit);
  return xmlResponse('ListPartsResult', {
    Bucket: bucket,
    Key: encode(key),
    EncodingType: encodingType,
    UploadId: upload.id,
    PartNumberMarker: marker,
    NextPartNumberMarker: page.at(-1)?.number ?? marker,
    MaxParts: limit,
    IsTruncated: isTruncated,
    Part: page.map(partElement),
    Initiator: { ID: OWNER_ID },
    Owner: { ID: OWNER_ID },
    StorageClass: 'STANDARD',
    ChecksumAlgorithm: upload.checksum?.algorithm,
    ChecksumType: upload.checksum?.type,
  });
};

const partElement = (part: UploadPart): XmlContent => ({
  PartNumber: part.number,
  LastModified: isoSeconds(part.modifiedAt),
  ETag: `"${part.etag}"`,
  Size: part.size,
  ...checksumContent(part),
});

const checksumContent = ({ checksum }: Pick<UploadPart, 'checksum'>): Record<string, string> =>
  checksum === undefined ? {} : { [checksumElement(checksum.algorithm)]: checksum.value };

const named = ({ md5, ...sum }: ReturnType<BodyDigest['finish']>): Pick<UploadPart, 'etag' | 'checksum'> => ({
  etag: md5,
  ...sum,
});

function readUploadChecksum(headers: RequestHeaders): Upload['checksum'] {
  const name = headers.get('x-amz-checksum-algorithm');
  const type = headers.get('x-amz-checksum-type');
  if (name === undefined) {
    if (type === undefined) return undefined;
    throw invalidRequest(
      'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
    );
  }
  const algorithm = parseAlgorithm(name);
  const wanted = type ?? defaultType(algorithm);
  if ((wanted !== 'COMPOSITE' && wanted !== 'FULL_OBJECT') || !allowsType(algorithm, wanted)) {
    throw invalidRequest(
      `The ${wanted} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    );
  }
  return { algorithm, type: wanted };
}

function readPartNumber(query: ReadonlyMap<string, string>): number {
  const value = query.get('partNumber') ?? '';
  const number = /^\d{1,5}$/.test(value) ? Number(value) : 0;
  if (number >= 1 && number <= 10_000) return number;
  throw invalidArgument('partNumber', value, 'Part number must be an integer between 1 and 10000, inclusive');
}

function readCopyRange(
  headers: RequestHeaders,
  size: number,
): { readonly start: number; readonly end: number } {
  const header = headers.get('x-amz-copy-source-range');
  const range = parseRange(header, size);
  if (
    header !== undefined &&
    (range === undefined || !/^bytes=\d+-\d+$/.test(header) || range.end !== Number(header.split('-')[1]) + 1)
  ) {
    const message =
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy';
    throw invalidArgument('x-amz-copy-source-range', header, message);
  }
  const { start, end } = range ?? { start: 0, end: size };
  if (end - start > MAX_OBJECT_BYTES) throw entityTooLarge(MAX_OBJECT_BYTES);
  return { start, end };
}
