import { readLimit, readListParameters } from './list-parameters.js';
import type { ListParameters } from './list-parameters.js';
import type { Handler } from './message.js';
import { isoSeconds, OWNER_ID, xmlResponse } from './message.js';
import type { ObjectVersion, Upload } from './model.js';
import { invalidArgument } from './s3-error.js';
import { SortedKeys } from './sorted-keys.js';
import { takePage, walkKeys } from './walk-keys.js';
import type { Listed, ListStart } from './walk-keys.js';
import type { XmlContent } from './write-xml.js';

const MAX_KEYS = 1000;

type ListedVersions = Listed<readonly ObjectVersion[]>;

const hasObject = (versions: readonly ObjectVersion[]): boolean => versions[0]?.isDeleteMarker === false;

/** ListObjectsV2. */
export const listObjects: Handler = async ({ bucket, query }, { store }) => {
  const { keys } = store.bucket(bucket);
  const type = query.get('list-type') ?? '';
  if (type !== '2') throw invalidArgument('list-type', type, 'Invalid List Type specified in Request');
  const list = readListParameters(query);
  const limit = readLimit(query, 'max-keys', MAX_KEYS);
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after');
  const start = token === undefined ? { after: startAfter ?? '' } : readToken(token);
  const { page, isTruncated } = takePage(walkKeys(keys, { ...list, start, isListed: hasObject }), limit);
  const last = page.at(-1);
  return xmlResponse('ListBucketResult', {
    Name: bucket,
    Prefix: list.encode(list.prefix),
    Delimiter: list.delimiter === '' ? undefined : list.encode(list.delimiter),
    StartAfter: startAfter === undefined ? undefined : list.encode(startAfter),
    MaxKeys: limit,
    EncodingType: list.encodingType,
    KeyCount: page.length,
    IsTruncated: isTruncated,
    ContinuationToken: token,
    NextContinuationToken: isTruncated && last !== undefined ? writeToken(last) : undefined,
    ...pageContent(page, list, query.get('fetch-owner') === 'true'),
  });
};

/** ListObjects of the first version. */
export const listObjectsV1: Handler = async ({ bucket, query }, { store }) => {
  const { keys } = store.bucket(bucket);
  const list = readListParameters(query);
  const limit = readLimit(query, 'max-keys', MAX_KEYS);
  const marker = query.get('marker') ?? '';
  const walk = walkKeys(keys, { ...list, start: startAfterMarker(marker, list), isListed: hasObject });
  const { page, isTruncated } = takePage(walk, limit);
  const last = page.at(-1);
  // Without a delimiter the client takes the last key itself.
  const hasNext = isTruncated && last !== undefined && list.delimiter !== '';
  return xmlResponse('ListBucketResult', {
    Name: bucket,
    Prefix: list.encode(list.prefix),
    Marker: list.encode(marker),
    NextMarker: hasNext ? list.encode(nameOf(last)) : undefined,
    Delimiter: list.delimiter === '' ? undefined : list.encode(list.delimiter),
    MaxKeys: limit,
    EncodingType: list.encodingType,
    IsTruncated: isTruncated,
    ...pageContent(page, list, true),
  });
};

/** ListObjectVersions. */
export const listVersions: Handler = async ({ bucket, query }, { store }) => {
  const { keys } = store.bucket(bucket);
  const list = readListParameters(query);
  const limit = readLimit(query, 'max-keys', MAX_KEYS);
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('version-id-marker') ?? '';
  if (idMarker !== '' && keyMarker === '') {
    throw invalidArgument(
      'version-id-marker',
      idMarker,
      'A version-id marker cannot be specified without a key marker.',
    );
  }
  const start = idMarker === '' ? startAfterMarker(keyMarker, list) : { at: keyMarker };
  const walk = walkKeys(keys, { ...list, start, isListed: () => true });
  const { page, isTruncated } = takePage(eachVersion(walk, keyMarker, idMarker), limit);
  const last = page.at(-1);
  const next = isTruncated ? last : undefined;
  const head = {
    Name: bucket,
    Prefix: list.encode(list.prefix),
    KeyMarker: list.encode(keyMarker),
    VersionIdMarker: idMarker,
    NextKeyMarker: next && list.encode(next.kind === 'version' ? next.key : next.prefix),
    NextVersionIdMarker: next?.kind === 'version' ? next.version.id : undefined,
    Delimiter: list.delimiter === '' ? undefined : list.encode(list.delimiter),
    MaxKeys: limit,
    EncodingType: list.encodingType,
    IsTruncated: isTruncated,
  };
  // Versions and delete markers stand in one order, mixed; hence a sequence and not one list of each.
  return xmlResponse('ListVersionsResult', [head, ...page.map((each) => versionElement(each, list))]);
};

/** ListMultipartUploads. */
export const listUploads: Handler = async ({ bucket, query }, { store }) => {
  store.bucket(bucket);
  const list = readListParameters(query);
  const limit = readLimit(query, 'max-uploads', MAX_KEYS);
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = keyMarker === '' ? '' : (query.get('upload-id-marker') ?? '');
  const keys = new SortedKeys<Upload[]>();
  for (const { upload } of store.catalog.uploads.values()) {
    if (upload.bucket === bucket) keys.set(upload.key, [...(keys.get(upload.key) ?? []), upload]);
  }
  const start = idMarker === '' ? startAfterMarker(keyMarker, list) : { at: keyMarker };
  const walk = walkKeys(keys, { ...list, start, isListed: () => true });
  const { page, isTruncated } = takePage(eachUpload(walk, keyMarker, idMarker), limit);
  const last = isTruncated ? page.at(-1) : undefined;
  return xmlResponse('ListMultipartUploadsResult', {
    Bucket: bucket,
    KeyMarker: list.encode(keyMarker),
    UploadIdMarker: idMarker,
    NextKeyMarker: last && list.encode(last.kind === 'upload' ? last.upload.key : last.prefix),
    NextUploadIdMarker: last?.kind === 'upload' ? last.upload.id : undefined,
    Prefix: list.encode(list.prefix),
    Delimiter: list.delimiter === '' ? undefined : list.encode(list.delimiter),
    EncodingType: list.encodingType,
    MaxUploads: limit,
    IsTruncated: isTruncated,
    Upload: page.flatMap((each) => (each.kind === 'upload' ? [uploadElement(each.upload, list)] : [])),
    CommonPrefixes: page.flatMap((each) =>
      each.kind === 'prefix' ? [{ Prefix: list.encode(each.prefix) }] : [],
    ),
  });
};

type VersionOrPrefix =
  | {
      readonly kind: 'version';
      readonly key: string;
      readonly version: ObjectVersion;
      readonly isLatest: boolean;
    }
  | { readonly kind: 'prefix'; readonly prefix: string };

/** Newest first within a key; in the marker's key only what is older than the marker. */
function* eachVersion(
  walk: Iterable<ListedVersions>,
  keyMarker: string,
  idMarker: string,
): Generator<VersionOrPrefix> {
  for (const listed of walk) {
    if (listed.kind === 'prefix') {
      yield listed;
      continue;
    }
    const { key, value } = listed;
    // A marker that was deleted meanwhile is found nowhere: then all of the key comes again, rather than none.
    const from = key === keyMarker ? value.findIndex((version) => version.id === idMarker) + 1 : 0;
    for (const [i, version] of value.entries()) {
      if (i >= from) yield { kind: 'version', key, version, isLatest: i === 0 };
    }
  }
}

type UploadOrPrefix =
  { readonly kind: 'upload'; readonly upload: Upload } | { readonly kind: 'prefix'; readonly prefix: string };

function* eachUpload(
  walk: Iterable<Listed<Upload[]>>,
  keyMarker: string,
  idMarker: string,
): Generator<UploadOrPrefix> {
  for (const listed of walk) {
    if (listed.kind === 'prefix') {
      yield listed;
      continue;
    }
    const from =
      listed.key === keyMarker ? listed.value.findIndex((upload) => upload.id === idMarker) + 1 : 0;
    for (const upload of listed.value.slice(from)) yield { kind: 'upload', upload };
  }
}

/** A marker that is itself a rolled-up prefix stands for all keys behind it. */
function startAfterMarker(marker: string, { prefix, delimiter }: ListParameters): ListStart {
  const isRolledUp =
    delimiter !== '' &&
    marker.startsWith(prefix) &&
    marker.indexOf(delimiter, prefix.length) === marker.length - delimiter.length;
  return isRolledUp && marker.length > prefix.length ? { afterPrefix: marker } : { after: marker };
}

const nameOf = (listed: ListedVersions): string => (listed.kind === 'key' ? listed.key : listed.prefix);

function pageContent(
  page: readonly ListedVersions[],
  list: ListParameters,
  withOwner: boolean,
): Record<string, XmlContent> {
  return {
    Contents: page.flatMap((each) => {
      const version = each.kind === 'key' ? each.value[0] : undefined;
      return each.kind === 'key' && version !== undefined
        ? [objectElement(each.key, version, list, withOwner)]
        : [];
    }),
    CommonPrefixes: page.flatMap((each) =>
      each.kind === 'prefix' ? [{ Prefix: list.encode(each.prefix) }] : [],
    ),
  };
}

const objectElement = (
  key: string,
  version: ObjectVersion,
  list: ListParameters,
  withOwner: boolean,
): XmlContent => ({
  Key: list.encode(key),
  LastModified: isoSeconds(version.modifiedAt),
  ETag: `"${version.etag}"`,
  ChecksumAlgorithm: version.checksum?.algorithm,
  ChecksumType: version.checksum?.type,
  Size: version.size,
  Owner: withOwner ? { ID: OWNER_ID } : undefined,
  StorageClass: 'STANDARD',
});

function versionElement(listed: VersionOrPrefix, list: ListParameters): XmlContent {
  if (listed.kind === 'prefix') return { CommonPrefixes: { Prefix: list.encode(listed.prefix) } };
  const { key, version, isLatest } = listed;
  const common = {
    Key: list.encode(key),
    VersionId: version.id,
    IsLatest: isLatest,
    LastModified: isoSeconds(version.modifiedAt),
    Owner: { ID: OWNER_ID },
  };
  if (version.isDeleteMarker) return { DeleteMarker: common };
  return {
    Version: {
      ...common,
      ETag: `"${version.etag}"`,
      ChecksumAlgorithm: version.checksum?.algorithm,
      ChecksumType: version.checksum?.type,
      Size: version.size,
      StorageClass: 'STANDARD',
    },
  };
}

const uploadElement = (upload: Upload, list: ListParameters): XmlContent => ({
  Key: list.encode(upload.key),
  UploadId: upload.id,
  Initiator: { ID: OWNER_ID },
  Owner: { ID: OWNER_ID },
  StorageClass: 'STANDARD',
  Initiated: isoSeconds(upload.startedAt),
  ChecksumAlgorithm: upload.checksum?.algorithm,
  ChecksumType: upload.checksum?.type,
});

const writeToken = (last: ListedVersions): string =>
  Buffer.from(`${last.kind === 'key' ? 'k' : 'p'}${nameOf(last)}`).toString('base64url');

function readToken(token: string): ListStart {
  const text = Buffer.from(token, 'base64url').toString();
  if (text.startsWith('k')) return { after: text.slice(1) };
  if (text.startsWith('p')) return { afterPrefix: text.slice(1) };
  throw invalidArgument('continuation-token', token, 'The continuation token provided is incorrect');
}
