import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { Blobs } from './blobs.js';
import { Catalog } from './catalog.js';
import type { Bucket, OpenUpload } from './catalog.js';
import { lockDirectory } from './directory-lock.js';
import { EventLog } from './event-log.js';
import { Journal } from './journal.js';
import { Locks } from './locks.js';
import type { EndpointLogger } from './log.js';
import type { Change, ObjectEvent, ObjectVersion, Tags, Upload, UploadPart, Versioning } from './model.js';
import { noSuchBucket, noSuchUpload, S3Error } from './s3-error.js';

export interface StoreOptions {
  readonly directory: string;
  readonly now: () => Date;
  readonly logger: EndpointLogger;
  /** Whether what happens in a bucket makes events. */
  readonly makesEvents: (bucket: string) => boolean;
}

/** Who did something, for the event about it. */
export interface Origin {
  readonly sourceIp: string;
  readonly requestId: string;
  readonly principal: string;
}

/** A version to be written: all but what the store decides. */
export type NewVersion = Omit<ObjectVersion, 'id' | 'isDeleteMarker' | 'modifiedAt'>;

/** Looks at the newest version before a write, alone with it, and throws to refuse. */
export type Guard = (current: ObjectVersion | undefined) => void;

export interface Written {
  readonly version: ObjectVersion;
  readonly versioning: Versioning;
}

export interface Deleted {
  /** The version removed or the delete marker made; nothing when there was no such thing. */
  readonly version: ObjectVersion | undefined;
  readonly versioning: Versioning;
}

/**
 * Buckets, objects and uploads on disk. A promise that resolves means that a crash cannot undo it.
 *
 * Reads go to `catalog`, which shows only what is durable.
 */
export class Store {
  readonly blobs: Blobs;
  readonly catalog: Catalog;
  readonly events: EventLog;
  private readonly journal: Journal<Change>;
  private readonly locks = new Locks();
  private readonly eventListeners = new Set<() => void>();
  private lastNumber = 0;
  private unlock: () => Promise<void> = async () => {};

  private constructor(private readonly options: StoreOptions) {
    this.blobs = new Blobs(options.directory, options.logger);
    this.catalog = new Catalog(this.blobs);
    this.journal = new Journal<Change>({
      directory: options.directory,
      apply: (change) => this.apply(change),
      snapshot: () => this.snapshot(),
      beforeBatch: () => this.blobs.syncNames(),
      liveRecords: () => this.catalog.size,
      logger: options.logger,
    });
    this.events = new EventLog(this.journal);
  }

  /** Opens a directory, made when missing. Throws `DirectoryInUse` and `JournalDamaged`. */
  static async open(options: StoreOptions): Promise<Store> {
    await mkdir(options.directory, { recursive: true, mode: 0o700 });
    const store = new Store(options);
    store.unlock = await lockDirectory(options.directory);
    try {
      await store.blobs.prepare();
      await store.journal.open();
      await store.blobs.open();
    } catch (error) {
      await store.close();
      throw error;
    }
    // A directory that was wiped must not give numbers again that receivers have seen: begin at the clock.
    store.lastNumber = Math.max(store.catalog.lastEvent, options.now().getTime() * 1000);
    return store;
  }

  /** Waits for what is being written. Nothing can be written afterwards. */
  async close(): Promise<void> {
    await this.journal.close();
    await this.unlock();
  }

  /** Calls back whenever new events are durable. */
  onEvents(listener: () => void): void {
    this.eventListeners.add(listener);
  }

  /** Records that events up to number `n` are delivered. */
  async setDelivered(n: number): Promise<void> {
    await this.journal.append([{ t: 'delivered', n }]);
  }

  bucket(name: string): Bucket {
    const bucket = this.catalog.buckets.get(name);
    if (bucket === undefined) throw noSuchBucket(name);
    return bucket;
  }

  async createBucket(name: string, versioning: Versioning = ''): Promise<void> {
    await this.locks.exclusive(`bucket ${name}`, async () => {
      if (this.catalog.buckets.has(name)) {
        const message = 'Your previous request to create the named bucket succeeded and you already own it.';
        throw new S3Error('BucketAlreadyOwnedByYou', 409, message, { elements: { BucketName: name } });
      }
      await this.journal.append([{ t: 'bucket', name, at: this.now(), versioning }]);
    });
  }

  async deleteBucket(name: string): Promise<void> {
    await this.locks.exclusive(`bucket ${name}`, async () => {
      const { keys } = this.bucket(name);
      const isUploading = [...this.catalog.uploads.values()].some(({ upload }) => upload.bucket === name);
      if (keys.size > 0 || isUploading) {
        const message =
          'The bucket you tried to delete is not empty (versions and unfinished uploads count).';
        throw new S3Error('BucketNotEmpty', 409, message, { elements: { BucketName: name } });
      }
      await this.journal.append([{ t: 'bucket-gone', name }]);
    });
  }

  async setVersioning(name: string, versioning: Versioning): Promise<void> {
    await this.locks.exclusive(`bucket ${name}`, async () => {
      this.bucket(name);
      await this.journal.append([{ t: 'versioning', name, versioning }]);
    });
  }

  /** Writes a version of an object. The caller keeps its slices when this throws an `S3Error`. */
  async putVersion(
    bucket: string,
    key: string,
    version: NewVersion,
    guard: Guard,
    event: { readonly name: string; readonly origin: Origin },
  ): Promise<Written> {
    return this.aloneWithKey(bucket, key, async ({ versioning }) => {
      guard(this.catalog.current(bucket, key));
      const written = this.newVersion(versioning, version);
      await this.append(bucket, key, [{ t: 'version', bucket, key, version: written }], {
        ...event,
        version: written,
        versioning,
      });
      return { version: written, versioning };
    });
  }

  /** Deletes as S3 does: a version for good, or the newest one behind a delete marker where there is versioning. */
  async deleteObject(
    bucket: string,
    key: string,
    versionId: string | undefined,
    guard: Guard,
    origin: Origin,
  ): Promise<Deleted> {
    return this.aloneWithKey(bucket, key, async ({ versioning }) => {
      const makesMarker = versionId === undefined && versioning !== '';
      const id = versionId ?? 'null';
      const existing = this.catalog.versions(bucket, key).find((each) => each.id === id);
      guard(versionId === undefined ? this.catalog.current(bucket, key) : existing);
      if (makesMarker) {
        const marker = { ...this.newVersion(versioning, NOTHING), isDeleteMarker: true };
        const name = 'ObjectRemoved:DeleteMarkerCreated';
        const change: Change = { t: 'version', bucket, key, version: marker };
        await this.append(bucket, key, [change], { name, origin, version: marker, versioning });
        return { version: marker, versioning };
      }
      if (existing === undefined) return { version: undefined, versioning };
      const name = 'ObjectRemoved:Delete';
      const change: Change = { t: 'version-gone', bucket, key, id };
      await this.append(bucket, key, [change], { name, origin, version: existing, versioning });
      return { version: existing, versioning };
    });
  }

  /** Replaces the tags of one version, which `find` looks up, throwing when there is none to tag. */
  async setTags(
    bucket: string,
    key: string,
    find: (versions: readonly ObjectVersion[]) => ObjectVersion,
    tags: Tags,
  ): Promise<Written> {
    return this.aloneWithKey(bucket, key, async ({ versioning }) => {
      const version = find(this.catalog.versions(bucket, key));
      await this.journal.append([{ t: 'tags', bucket, key, id: version.id, tags }]);
      return { version, versioning };
    });
  }

  async createUpload(upload: Omit<Upload, 'id' | 'startedAt'>): Promise<Upload> {
    return this.aloneWithKey(upload.bucket, upload.key, async () => {
      const created = { ...upload, id: randomBytes(24).toString('hex'), startedAt: this.now() };
      await this.journal.append([{ t: 'upload', upload: created }]);
      return created;
    });
  }

  /** The unfinished upload of that id, bucket and key. */
  upload(bucket: string, key: string, id: string): OpenUpload {
    this.bucket(bucket);
    const found = this.catalog.uploads.get(id);
    if (found === undefined || found.upload.bucket !== bucket || found.upload.key !== key)
      throw noSuchUpload(id);
    return found;
  }

  /** Stores a part. The caller keeps its slices when this throws an `S3Error`. */
  async putPart({ bucket, key, id }: Upload, part: Omit<UploadPart, 'modifiedAt'>): Promise<UploadPart> {
    return this.locks.exclusive(`upload ${id}`, async () => {
      this.upload(bucket, key, id);
      const stored = { ...part, modifiedAt: this.now() };
      await this.journal.append([{ t: 'part', id, part: stored }]);
      return stored;
    });
  }

  /** Turns an upload into a version, which `assemble` makes from its parts. */
  async completeUpload(
    bucket: string,
    key: string,
    id: string,
    assemble: (upload: OpenUpload) => NewVersion,
    guard: Guard,
    origin: Origin,
  ): Promise<Written> {
    return this.aloneWithKey(bucket, key, async ({ versioning }) =>
      this.locks.exclusive(`upload ${id}`, async () => {
        const assembled = assemble(this.upload(bucket, key, id));
        guard(this.catalog.current(bucket, key));
        const version = this.newVersion(versioning, assembled);
        const changes: Change[] = [
          { t: 'version', bucket, key, version },
          { t: 'upload-gone', id },
        ];
        const name = 'ObjectCreated:CompleteMultipartUpload';
        await this.append(bucket, key, changes, { name, origin, version, versioning });
        return { version, versioning };
      }),
    );
  }

  async abortUpload(bucket: string, key: string, id: string): Promise<void> {
    await this.locks.exclusive(`upload ${id}`, async () => {
      this.upload(bucket, key, id);
      await this.journal.append([{ t: 'upload-gone', id }]);
    });
  }

  private async aloneWithKey<T>(
    bucket: string,
    key: string,
    work: (bucket: Bucket) => Promise<T>,
  ): Promise<T> {
    return this.locks.shared(`bucket ${bucket}`, async () => {
      const found = this.bucket(bucket);
      return this.locks.exclusive(`key ${bucket}/${key}`, () => work(found));
    });
  }

  /** Writes changes together with the event about them: both are durable, or neither. */
  private async append(
    bucket: string,
    key: string,
    changes: readonly Change[],
    about: { name: string; origin: Origin; version: ObjectVersion; versioning: Versioning },
  ): Promise<void> {
    if (!this.options.makesEvents(bucket)) return this.journal.append(changes);
    const { name, origin, version, versioning } = about;
    this.lastNumber += 1;
    const event: ObjectEvent = {
      n: this.lastNumber,
      at: this.now(),
      name,
      bucket,
      key,
      ...(versioning === '' && version.id === 'null' ? {} : { versionId: version.id }),
      ...(name.startsWith('ObjectCreated') ? { size: version.size, etag: version.etag } : {}),
      ...origin,
    };
    return this.journal.append([...changes, { t: 'event', event }]);
  }

  private newVersion(versioning: Versioning, version: NewVersion): ObjectVersion {
    const id = versioning === 'Enabled' ? randomBytes(16).toString('hex') : 'null';
    return { ...version, id, isDeleteMarker: false, modifiedAt: this.now() };
  }

  private apply(change: Change): void {
    this.catalog.apply(change);
    if (change.t === 'event') for (const listener of this.eventListeners) listener();
  }

  private async *snapshot(): AsyncGenerator<Change> {
    yield* this.catalog.changes();
    for await (const event of this.events.pending(this.catalog.delivered)) yield { t: 'event', event };
  }

  private now(): number {
    return this.options.now().getTime();
  }
}

const NOTHING: NewVersion = { size: 0, etag: '', slices: [], headers: {}, metadata: {}, tags: [] };
