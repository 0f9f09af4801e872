import type { ChecksumAlgorithm } from './checksums.js';
import { checksumHeader } from './checksums.js';
import type { Headers, ObjectVersion } from './model.js';
import { ACCOUNT_ID } from './message.js';
import type { RequestHeaders } from './request-headers.js';
import { accessDenied, notImplemented, S3Error } from './s3-error.js';

const CONTENT_HEADERS = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
] as const;
const MAX_METADATA_BYTES = 2048;
const META = 'x-amz-meta-';

// All that this endpoint acts on, or may pass over without doing something else than was asked.
const KNOWN_AMZ = new Set(
  [
    'date content-sha256 security-token user-agent sdk-checksum-algorithm trailer te decoded-content-length',
    'tagging tagging-directive metadata-directive acl storage-class request-payer',
    'checksum-algorithm checksum-type checksum-mode mp-object-size optional-object-attributes',
    'expected-bucket-owner source-expected-bucket-owner',
  ].flatMap((names) => names.split(' ')),
);

/**
 * Refuses what this endpoint would otherwise silently not do: encryption, grants, object lock, other
 * storage classes, and whatever x-amz- header it has never heard of.
 */
export function checkKnownHeaders(headers: RequestHeaders): void {
  for (const name of headers.names()) {
    if (!name.startsWith('x-amz-') || name.startsWith(META)) continue;
    const rest = name.slice('x-amz-'.length);
    const isKnown =
      KNOWN_AMZ.has(rest) ||
      /^checksum-|^copy-source(-range|-if-(none-)?match|-if-(un)?modified-since)?$/.test(rest);
    if (!isKnown) throw notImplemented(`The header ${name}`);
  }
  const acl = headers.get('x-amz-acl');
  if (acl !== undefined && acl !== 'private' && acl !== 'bucket-owner-full-control') {
    throw notImplemented(`The access control list ${acl}`);
  }
  const storageClass = headers.get('x-amz-storage-class');
  if (storageClass !== undefined && storageClass !== 'STANDARD')
    throw notImplemented(`The storage class ${storageClass}`);
  for (const name of ['x-amz-expected-bucket-owner', 'x-amz-source-expected-bucket-owner']) {
    const owner = headers.get(name);
    if (owner !== undefined && owner !== ACCOUNT_ID)
      throw accessDenied(`Access Denied: the owner is ${ACCOUNT_ID}.`);
  }
}

/** The headers that are kept with an object and come back with it. */
export function contentHeaders(headers: RequestHeaders): Headers {
  const kept: Record<string, string> = {};
  for (const name of CONTENT_HEADERS) {
    // `aws-chunked` says how the upload was sent, not what the object is.
    const value = name === 'content-encoding' ? withoutAwsChunked(headers.get(name)) : headers.get(name);
    if (value !== undefined && value !== '') kept[name] = value;
  }
  return { ...kept, 'content-type': kept['content-type'] ?? 'binary/octet-stream' };
}

export function userMetadata(headers: RequestHeaders): Headers {
  const names = headers.names().filter((name) => name.startsWith(META));
  const kept = Object.fromEntries(names.map((name) => [name.slice(META.length), headers.get(name) ?? '']));
  const size = Object.entries(kept).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (size > MAX_METADATA_BYTES) {
    throw new S3Error(
      'MetadataTooLarge',
      400,
      'Your metadata headers exceed the maximum allowed metadata size',
      {
        elements: { MaxSizeAllowed: String(MAX_METADATA_BYTES), Size: String(size) },
      },
    );
  }
  return kept;
}

/** The headers of a version that go with every answer about it. */
export function versionHeaders(version: ObjectVersion, withChecksum: boolean): Record<string, string> {
  const metadata = Object.entries(version.metadata).map(([name, value]) => [META + name, value] as const);
  return {
    ...version.headers,
    ...Object.fromEntries(metadata),
    ...(version.tags.length > 0 ? { 'x-amz-tagging-count': String(version.tags.length) } : {}),
    ...(withChecksum ? checksumHeaders(version.checksum) : {}),
  };
}

export const checksumHeaders = (
  checksum:
    { readonly algorithm: ChecksumAlgorithm; readonly type: string; readonly value: string } | undefined,
): Record<string, string> =>
  checksum === undefined
    ? {}
    : { [checksumHeader(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': checksum.type };

const withoutAwsChunked = (value: string | undefined): string | undefined =>
  value
    ?.split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding.toLowerCase() !== 'aws-chunked')
    .join(',');
