import {
  GetBucketVersioningCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type DeleteMarkerEntry,
  type ObjectVersion,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { BucketPolicy } from './buckets.js';
import { compareKeys } from './key-order.js';
import {
  ListingBroken,
  ListingGuard,
  LISTING_BOUNDS,
  type CheckedPage,
  type ListedEntry,
  type ListingBounds,
  type ListingPlace,
  type ToldPage,
} from './listing-guard.js';

/** The bucket to list, and what its calls must carry. */
export type ListedBucket = Pick<BucketPolicy, 'endpointId' | 'bucket' | 'expectedOwner' | 'requesterPays'>;

/** `versions`: every version and delete marker. `objects`: what is there now, for buckets that keep no versions. */
export type ListingKind = 'versions' | 'objects';

export interface ListingOptions {
  readonly prefix?: string | undefined;
  /** Goes on behind this place. */
  readonly after?: ListingPlace | undefined;
  /** At most, and by default, 1,000. */
  readonly pageSize?: number | undefined;
  /** Kept by the caller over several listings of one run, so that a loop is seen over all of them. */
  readonly guard?: ListingGuard | undefined;
  readonly bounds?: ListingBounds | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A page that can be relied on, and how many requests it took. */
export interface ListingPage extends CheckedPage {
  readonly requests: number;
}

/** Asks S3; the operation is the SDK's command without its ending. */
export type Ask = <T>(operation: string, call: (s3: S3Client) => Promise<T>) => Promise<T>;

const MAX_KEYS = 1000;

/** Whether a bucket keeps versions. */
export type Versioning = 'enabled' | 'suspended' | 'never';

export async function versioningOf(ask: Ask, bucket: ListedBucket): Promise<Versioning> {
  const { Status } = await ask('GetBucketVersioning', (s3) =>
    s3.send(new GetBucketVersioningCommand(common(bucket))),
  );
  if (Status === undefined) return 'never';
  return Status === 'Enabled' ? 'enabled' : 'suspended';
}

/**
 * A bucket's listing, page by page in the order of keys. A page that says that it is the last and is full is not
 * believed: one more is asked for.
 *
 * @throws ListingBroken for a server that contradicts itself or has no end.
 */
export async function* listPages(
  ask: Ask,
  bucket: ListedBucket,
  kind: ListingKind,
  options: ListingOptions = {},
): AsyncGenerator<ListingPage, void, undefined> {
  const { prefix = '', pageSize = MAX_KEYS, signal } = options;
  const guard = options.guard ?? new ListingGuard(prefix, options.after, options.bounds ?? LISTING_BOUNDS);
  let place = options.after;
  for (;;) {
    const request = { bucket, prefix, place, pageSize, signal };
    const told = await (kind === 'versions' ? askVersions(ask, request) : askObjects(ask, request));
    const isFull = told.entries.length >= pageSize;
    const page = guard.follow({ ...told, isTruncated: told.isTruncated || isFull });
    yield { ...page, requests: 1 };
    if (page.next === undefined) return;
    place = page.next;
  }
}

interface PageRequest {
  readonly bucket: ListedBucket;
  readonly prefix: string;
  readonly place: ListingPlace | undefined;
  readonly pageSize: number;
  readonly signal: AbortSignal | undefined;
}

async function askVersions(ask: Ask, request: PageRequest): Promise<ToldPage> {
  const { bucket, prefix, place, pageSize, signal } = request;
  const answer = await ask('ListObjectVersions', (s3) =>
    s3.send(
      new ListObjectVersionsCommand({
        ...common(bucket),
        Prefix: prefix,
        EncodingType: 'url',
        MaxKeys: pageSize,
        ...(place !== undefined && { KeyMarker: place.key }),
        ...(place?.versionId !== undefined && { VersionIdMarker: place.versionId }),
      }),
      signal === undefined ? {} : { abortSignal: signal },
    ),
  );
  const decode = decoderOf(answer.EncodingType);
  const versions = (answer.Versions ?? []).map((entry) => versionEntry(entry, decode));
  const markers = (answer.DeleteMarkers ?? []).map((entry) => markerEntry(entry, decode));
  const { NextKeyMarker: key, NextVersionIdMarker: versionId } = answer;
  return {
    entries: merged(versions, markers),
    isTruncated: answer.IsTruncated === true,
    ...(key !== undefined &&
      key !== '' && { next: { key: decode(key), versionId: versionId === '' ? undefined : versionId } }),
  };
}

async function askObjects(ask: Ask, request: PageRequest): Promise<ToldPage> {
  const { bucket, prefix, place, pageSize, signal } = request;
  // By key and not by token: a token does not outlive its server, a key does.
  const answer = await ask('ListObjectsV2', (s3) =>
    s3.send(
      new ListObjectsV2Command({
        ...common(bucket),
        Prefix: prefix,
        EncodingType: 'url',
        MaxKeys: pageSize,
        ...(place !== undefined && { StartAfter: place.key }),
      }),
      signal === undefined ? {} : { abortSignal: signal },
    ),
  );
  const decode = decoderOf(answer.EncodingType);
  const entries = (answer.Contents ?? []).map((entry): ListedEntry => ({
    key: decode(entry.Key ?? ''),
    isLatest: true,
    isDeleteMarker: false,
    eTag: unquoted(entry.ETag),
    sizeBytes: sizeOf(entry.Size),
    lastModified: timeOf(entry.LastModified),
    storageClass: entry.StorageClass,
  }));
  return { entries, isTruncated: answer.IsTruncated === true };
}

const common = ({ bucket, expectedOwner, requesterPays }: ListedBucket) => ({
  Bucket: bucket,
  ...(expectedOwner !== undefined && { ExpectedBucketOwner: expectedOwner }),
  ...(requesterPays === true && { RequestPayer: 'requester' as const }),
});

type Decode = (text: string) => string;

/** A server that does not know the encoding does not say that it used it. */
const decoderOf = (encoding: string | undefined): Decode => (encoding === 'url' ? decodeUrl : (text) => text);

function decodeUrl(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (error) {
    throw new ListingBroken(`it encodes a key in a way that cannot be undone (${(error as Error).message})`);
  }
}

const versionEntry = (entry: ObjectVersion, decode: Decode): ListedEntry => ({
  key: decode(entry.Key ?? ''),
  versionId: entry.VersionId ?? 'null',
  isLatest: entry.IsLatest === true,
  isDeleteMarker: false,
  eTag: unquoted(entry.ETag),
  sizeBytes: sizeOf(entry.Size),
  lastModified: timeOf(entry.LastModified),
  storageClass: entry.StorageClass,
});

const markerEntry = (entry: DeleteMarkerEntry, decode: Decode): ListedEntry => ({
  key: decode(entry.Key ?? ''),
  versionId: entry.VersionId ?? 'null',
  isLatest: entry.IsLatest === true,
  isDeleteMarker: true,
  eTag: '',
  sizeBytes: 0,
  lastModified: timeOf(entry.LastModified),
});

/** The SDK tells versions and delete markers apart, and with it forgets their common order. Newest first in a key. */
function merged(versions: readonly ListedEntry[], markers: readonly ListedEntry[]): readonly ListedEntry[] {
  inOrder(versions);
  inOrder(markers);
  if (markers.length === 0) return versions;
  return [...versions, ...markers].sort(
    (a, b) =>
      compareKeys(a.key, b.key) ||
      Number(b.isLatest) - Number(a.isLatest) ||
      (a.lastModified < b.lastModified ? 1 : a.lastModified > b.lastModified ? -1 : 0),
  );
}

function inOrder(entries: readonly ListedEntry[]): void {
  entries.forEach((entry, i) => {
    const before = entries[i - 1];
    if (before !== undefined && compareKeys(entry.key, before.key) < 0) {
      throw new ListingBroken('its keys are out of order');
    }
  });
}

const unquoted = (eTag: string | undefined): string => (eTag ?? '').replace(/^W\//, '').replaceAll('"', '');

function sizeOf(size: number | undefined): number {
  if (size === undefined) return 0;
  if (!Number.isSafeInteger(size) || size < 0) throw new ListingBroken(`an object has the size ${size}`);
  return size;
}

function timeOf(time: Date | undefined): string {
  if (time === undefined) return new Date(0).toISOString();
  if (Number.isNaN(time.getTime())) throw new ListingBroken('an object has a time that is none');
  return time.toISOString();
}
