import type { Slice } from './blobs.js';
import type { Change, ObjectVersion, Upload, UploadPart, Versioning } from './model.js';
import { SortedKeys } from './sorted-keys.js';

export interface Bucket {
  readonly name: string;
  readonly createdAt: number;
  versioning: Versioning;
  /** The versions of each key, newest first; never an empty list. */
  readonly keys: SortedKeys<readonly ObjectVersion[]>;
}

export interface OpenUpload {
  readonly upload: Upload;
  readonly parts: Map<number, UploadPart>;
}

/** Who counts the claims on files. */
export interface SliceClaims {
  retain(slices: readonly Slice[]): void;
  release(slices: readonly Slice[]): void;
}

/** All that is stored, but for the bytes: in memory, made by applying the journal's changes in order. */
export class Catalog {
  readonly buckets = new Map<string, Bucket>();
  readonly uploads = new Map<string, OpenUpload>();
  /** The number of the newest event, and of the newest delivered one. */
  lastEvent = 0;
  delivered = 0;
  private records = 0;

  constructor(private readonly claims: SliceClaims) {}

  /** How many changes `changes` yields, about. */
  get size(): number {
    return this.records + this.buckets.size;
  }

  /** The newest version of a key, a delete marker included. */
  current(bucket: string, key: string): ObjectVersion | undefined {
    return this.versions(bucket, key)[0];
  }

  versions(bucket: string, key: string): readonly ObjectVersion[] {
    return this.buckets.get(bucket)?.keys.get(key) ?? [];
  }

  apply(change: Change): void {
    switch (change.t) {
      case 'bucket':
        this.buckets.set(change.name, {
          name: change.name,
          createdAt: change.at,
          versioning: change.versioning,
          keys: new SortedKeys(),
        });
        return;
      case 'versioning':
        this.bucket(change.name).versioning = change.versioning;
        return;
      case 'bucket-gone':
        this.buckets.delete(change.name);
        return;
      case 'version':
        return this.addVersion(change.bucket, change.key, change.version);
      case 'version-gone':
        return this.removeVersion(change.bucket, change.key, change.id);
      case 'tags':
        return this.updateVersions(change.bucket, change.key, (versions) =>
          versions.map((each) => (each.id === change.id ? { ...each, tags: change.tags } : each)),
        );
      case 'upload':
        this.records += 1;
        this.uploads.set(change.upload.id, { upload: change.upload, parts: new Map() });
        return;
      case 'part':
        return this.addPart(change.id, change.part);
      case 'upload-gone':
        return this.removeUpload(change.id);
      case 'event':
        this.lastEvent = Math.max(this.lastEvent, change.event.n);
        return;
      case 'delivered':
        this.delivered = Math.max(this.delivered, change.n);
        return;
      case 'numbered':
        this.lastEvent = Math.max(this.lastEvent, change.n);
        return;
      default:
        change satisfies never;
    }
  }

  /** Changes that make this catalog from an empty one. Pending events are not among them. */
  *changes(): Generator<Change> {
    yield { t: 'numbered', n: this.lastEvent };
    yield { t: 'delivered', n: this.delivered };
    for (const bucket of this.buckets.values()) {
      yield { t: 'bucket', name: bucket.name, at: bucket.createdAt, versioning: bucket.versioning };
      for (const { key, value } of bucket.keys.entries()) {
        for (const version of value.toReversed()) yield { t: 'version', bucket: bucket.name, key, version };
      }
    }
    for (const { upload, parts } of this.uploads.values()) {
      yield { t: 'upload', upload };
      for (const part of parts.values()) yield { t: 'part', id: upload.id, part };
    }
  }

  private bucket(name: string): Bucket {
    const bucket = this.buckets.get(name);
    if (bucket === undefined) throw new Error(`The journal names a bucket ${name} that does not exist.`);
    return bucket;
  }

  /** A new null version takes the place of the old one; any other version goes on top. */
  private addVersion(bucket: string, key: string, version: ObjectVersion): void {
    this.claims.retain(version.slices);
    const others = this.versions(bucket, key).filter((each) => {
      const isReplaced = version.id === 'null' && each.id === 'null';
      if (isReplaced) this.claims.release(each.slices);
      this.records -= isReplaced ? 1 : 0;
      return !isReplaced;
    });
    this.records += 1;
    this.bucket(bucket).keys.set(key, [version, ...others]);
  }

  private removeVersion(bucket: string, key: string, id: string): void {
    this.updateVersions(bucket, key, (versions) => {
      const removed = versions.find((each) => each.id === id);
      if (removed === undefined) return versions;
      this.records -= 1;
      this.claims.release(removed.slices);
      return versions.filter((each) => each !== removed);
    });
  }

  private updateVersions(
    bucket: string,
    key: string,
    update: (versions: readonly ObjectVersion[]) => readonly ObjectVersion[],
  ): void {
    const versions = update(this.versions(bucket, key));
    const { keys } = this.bucket(bucket);
    if (versions.length === 0) keys.delete(key);
    else keys.set(key, versions);
  }

  private addPart(id: string, part: UploadPart): void {
    const open = this.uploads.get(id);
    if (open === undefined) throw new Error(`The journal names an upload ${id} that does not exist.`);
    const replaced = open.parts.get(part.number);
    this.claims.retain(part.slices);
    if (replaced === undefined) this.records += 1;
    else this.claims.release(replaced.slices);
    open.parts.set(part.number, part);
  }

  private removeUpload(id: string): void {
    const open = this.uploads.get(id);
    if (open === undefined) return;
    for (const part of open.parts.values()) this.claims.release(part.slices);
    this.records -= 1 + open.parts.size;
    this.uploads.delete(id);
  }
}
