import { createHash } from 'node:crypto';
import { compareKeys } from '../../src/s3/key-order.js';
import type { ListedEntry, ListingPlace } from '../../src/s3/listing-guard.js';
import type { ListedBucket, ListingPage } from '../../src/s3/list-pages.js';
import type { ObjectHead } from '../../src/s3/object-head.js';
import { StorageError } from '../../src/s3/storage-error.js';
import type { ObjectRef } from '../../src/verdicts/ledger.js';

/** Keeps versions. */
export const INBOUND = 'inbound';
/** Keeps none: a second upload of a key replaces the first. */
export const DROP = 'drop';

/** One object version as S3 has it. */
export interface Stored {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | undefined;
  readonly eTag: string;
  readonly sizeBytes: number;
  readonly at: number;
}

const PAGE = 1_000;

/** Two buckets as S3 would tell of them. It has no bytes: what is in an object, its scanner of this proof knows by its ETag. */
export class Store {
  readonly buckets = [INBOUND, DROP];
  private readonly held = new Map<string, Map<string, Stored[]>>(
    this.buckets.map((bucket) => [bucket, new Map<string, Stored[]>()]),
  );
  private versions = 0;

  put(bucket: string, key: string, content: string, sizeBytes: number, at: number): Stored {
    const keys = this.keysOf(bucket);
    this.versions += 1;
    const stored = {
      bucket,
      key,
      versionId: bucket === INBOUND ? `v${String(this.versions).padStart(8, '0')}` : undefined,
      eTag: createHash('md5').update(content).digest('hex'),
      sizeBytes,
      // S3 dates to the second.
      at: Math.floor(at / 1000) * 1000,
    };
    keys.set(key, bucket === INBOUND ? [stored, ...(keys.get(key) ?? [])] : [stored]);
    return stored;
  }

  /** For good, without a marker. */
  remove({ bucket, key, versionId }: Stored): void {
    const keys = this.keysOf(bucket);
    const left = (keys.get(key) ?? []).filter((one) => one.versionId !== versionId);
    if (left.length === 0) keys.delete(key);
    else keys.set(key, left);
  }

  find({ bucket, key, versionId }: Pick<ObjectRef, 'bucket' | 'key' | 'versionId'>): Stored | undefined {
    const all = this.keysOf(bucket).get(key) ?? [];
    return versionId === undefined ? all[0] : all.find((one) => one.versionId === versionId);
  }

  /** Versions that the bucket dates into [from, to). */
  *datedInto(bucket: string, from: number, to: number): Generator<Stored> {
    for (const all of this.keysOf(bucket).values())
      for (const one of all) if (one.at >= from && one.at < to) yield one;
  }

  /** What takes the place of the calls that the service makes. */
  asStorage() {
    return {
      head: async (ref: ObjectRef): Promise<ObjectHead> => {
        const found = this.find(ref);
        if (found === undefined) throw new StorageError('gone', 'NoSuchKey', 'no such key');
        return headOf(found);
      },
      listingKind: async ({ bucket }: ListedBucket) => (bucket === INBOUND ? 'versions' : 'objects'),
      listPages: (bucket: ListedBucket, options: { after?: ListingPlace } = {}) =>
        this.pages(bucket.bucket, options.after),
    };
  }

  private async *pages(bucket: string, after: ListingPlace | undefined): AsyncGenerator<ListingPage> {
    const keys = this.keysOf(bucket);
    const entries = [...keys.keys()]
      .toSorted(compareKeys)
      .flatMap((key) => (keys.get(key) ?? []).map((one, index) => entryOf(one, index === 0)));
    let from =
      after === undefined
        ? 0
        : entries.findIndex(({ key, versionId }) =>
            key === after.key ? versionId === after.versionId : compareKeys(key, after.key) > 0,
          );
    if (from === -1) from = entries.length;
    else if (after !== undefined && entries[from]?.key === after.key) from += 1;
    do {
      const page = entries.slice(from, from + PAGE);
      from += PAGE;
      const last = page.at(-1);
      const next = from < entries.length && last !== undefined ? placeOf(last) : undefined;
      yield { entries: page, requests: 1, ...(next !== undefined && { next }) };
    } while (from < entries.length);
  }

  private keysOf(bucket: string): Map<string, Stored[]> {
    const keys = this.held.get(bucket);
    if (keys === undefined) throw new StorageError('gone', 'NoSuchBucket', `no bucket ${bucket}`);
    return keys;
  }
}

const placeOf = ({ key, versionId }: ListedEntry): ListingPlace => ({
  key,
  ...(versionId !== undefined && { versionId }),
});

const entryOf = ({ key, versionId, eTag, sizeBytes, at }: Stored, isLatest: boolean): ListedEntry => ({
  key,
  ...(versionId !== undefined && { versionId }),
  isLatest,
  isDeleteMarker: false,
  eTag,
  sizeBytes,
  lastModified: new Date(at).toISOString(),
});

const headOf = ({ eTag, sizeBytes, at, versionId }: Stored): ObjectHead => ({
  eTag,
  sizeBytes,
  lastModified: new Date(at).toISOString(),
  contentType: 'application/octet-stream',
  ...(versionId !== undefined && { versionId }),
  metadata: {},
  isArchived: false,
  isRestoring: false,
  headers: {},
  encryption: {},
  lock: { hasLegalHold: false },
});
