import {
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type _Object,
  type HeadObjectCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Readable } from 'node:stream';
import type { ObjectFacts, ObjectRef } from '../verdicts/ledger.js';
import { digestOf, type OpenedBody } from './body.js';
import { copyObject, type CopyRequest } from './copy-object.js';
import type { Endpoints } from './endpoints.js';
import { KeyedLock } from './keyed-lock.js';
import { asStorageError, StorageError } from './storage-error.js';
import { merged, without, type Tags } from './tags.js';

/** An object held fast: by its version where there is one, and by its ETag in any case. */
export interface PinnedObject extends ObjectRef {
  /** Without quotes. */
  readonly eTag: string;
}

/** HEAD's answer. */
export interface ObjectHead extends ObjectFacts {
  readonly versionId?: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  /** In a storage class that must be restored before it can be read. */
  readonly isArchived: boolean;
  /** The headers that a copy must repeat when it replaces metadata. */
  readonly headers: ObjectHeaders;
}

export type ObjectHeaders = Pick<
  HeadObjectCommandOutput,
  | 'CacheControl'
  | 'ContentDisposition'
  | 'ContentEncoding'
  | 'ContentLanguage'
  | 'ContentType'
  | 'ExpiresString'
  | 'WebsiteRedirectLocation'
>;

/** How tagging ended: `superseded` when the object was replaced meanwhile and our tags were taken back. */
export type TagOutcome = 'tagged' | 'superseded';

/** A verified copy. */
export interface Copied {
  readonly versionId?: string | undefined;
  readonly eTag: string;
  readonly sizeBytes: number;
  /** Of the copy, read back. */
  readonly sha256: string;
}

export interface ListedVersion {
  readonly key: string;
  readonly versionId?: string | undefined;
  readonly eTag: string;
  readonly sizeBytes: number;
  readonly lastModified: string;
}

/**
 * Objects of the registered endpoints: every read and write of the service goes through here.
 *
 * Every method fails with StorageError, which says in the ledger's words what happened.
 */
export class ObjectStorage {
  private readonly tagging = new KeyedLock();

  constructor(
    private readonly endpoints: Endpoints,
    private readonly options: { readonly multipartCopyBytes?: number; readonly copyPartBytes?: number } = {},
  ) {}

  /** HEAD of the version that `ref` names, the current one without; `eTag` makes a replaced object `superseded`. */
  async head(
    ref: ObjectRef & { readonly eTag?: string | undefined },
    signal?: AbortSignal,
  ): Promise<ObjectHead> {
    const answer = await this.ask(ref, (s3) =>
      s3.send(new HeadObjectCommand({ ...address(ref), ...match(ref) }), abortable(signal)),
    );
    return headOf(answer);
  }

  /** GET, pinned; from byte `from` on. The caller destroys the body when leaving early. */
  async open(
    object: PinnedObject,
    options: { from?: number; signal?: AbortSignal } = {},
  ): Promise<OpenedBody> {
    const from = options.from ?? 0;
    const answer = await this.ask(object, (s3) =>
      s3.send(
        new GetObjectCommand({
          ...address(object),
          ...match(object),
          ...(from > 0 && { Range: `bytes=${from}-` }),
        }),
        abortable(options.signal),
      ),
    );
    if (answer.Body === undefined) throw new StorageError('other', 'EmptyAnswer', 'GET had no body');
    const body = answer.Body as Readable;
    if (from > 0 && answer.$metadata.httpStatusCode !== 206) {
      body.destroy();
      throw new StorageError('other', 'RangeIgnored', 'the server does not serve ranges');
    }
    return { body, lengthBytes: answer.ContentLength ?? 0 };
  }

  /** The first bytes, at most `count`. An empty object gives an empty buffer. */
  async peek(object: PinnedObject, count: number, signal?: AbortSignal): Promise<Buffer> {
    const answer = await this.ask(object, (s3) =>
      s3.send(
        new GetObjectCommand({ ...address(object), ...match(object), Range: `bytes=0-${count - 1}` }),
        abortable(signal),
      ),
    ).catch((error: unknown) => {
      if (error instanceof StorageError && error.s3Code === 'InvalidRange') return undefined;
      throw error;
    });
    if (answer?.Body === undefined) return Buffer.alloc(0);
    const body = answer.Body as Readable;
    const parts: Buffer[] = [];
    let seen = 0;
    for await (const chunk of body) {
      parts.push(chunk as Buffer);
      seen += (chunk as Buffer).length;
      // A server that ignores the range would send everything.
      if (seen >= count) break;
    }
    body.destroy();
    return Buffer.concat(parts).subarray(0, count);
  }

  async readTags(ref: ObjectRef): Promise<Tags> {
    const answer = await this.ask(ref, (s3) => s3.send(new GetObjectTaggingCommand(address(ref))));
    return Object.fromEntries((answer.TagSet ?? []).map((tag) => [tag.Key ?? '', tag.Value ?? '']));
  }

  /**
   * Adds tags beside the user's. S3 has no conditional tagging: in a versioned bucket the version pins the write; without
   * versions an object that is replaced in the same moment may get our tags, which are then taken back.
   *
   * @throws TagsFull when S3's limit of ten leaves no room.
   */
  async mergeTags(object: PinnedObject, tags: Tags): Promise<TagOutcome> {
    return this.tagging.hold(lockKey(object), async () => {
      const before = await this.head(object).catch(supersededAsUndefined);
      if (before === undefined) return 'superseded';
      const target = { ...object, versionId: object.versionId ?? before.versionId };
      await this.writeTags(target, merged(await this.readTags(target), tags));
      if (isImmutable(target.versionId)) return 'tagged';
      const after = await this.head(object).catch(supersededAsUndefined);
      if (after !== undefined && after.lastModified === before.lastModified) return 'tagged';
      await this.writeTags(target, without(await this.readTags(target), tags));
      return 'superseded';
    });
  }

  /** Copies within an endpoint and reads the copy back. `sha256`, when known, must be the source's. */
  async copyVerified(request: CopyRequest): Promise<Copied> {
    const { source, destination } = request;
    const head = await this.head(source);
    const tags = await this.readTags(source);
    const written = await this.ask(source, (s3) => copyObject(s3, request, { head, tags, ...this.options }));
    const copy = { ...destination, endpointId: source.endpointId, ...written };
    const seen = await this.head(copy);
    const sha256 = await this.digest(copy);
    const expected = request.sha256 ?? (seen.eTag === source.eTag ? sha256 : await this.digest(source));
    if (seen.sizeBytes !== head.sizeBytes || sha256 !== expected) {
      await this.deleteVersion(copy);
      throw new StorageError('other', 'CopyDiffers', 'the copy does not hold the same bytes and was removed');
    }
    return { eTag: seen.eTag, versionId: written.versionId, sizeBytes: seen.sizeBytes, sha256 };
  }

  /** SHA-256 of the object's bytes, read through once. */
  async digest(object: PinnedObject, signal?: AbortSignal): Promise<string> {
    return digestOf(await this.open(object, signal === undefined ? {} : { signal }));
  }

  /**
   * Deletes exactly this version and leaves no delete marker in its place. Without a version id the object must still be
   * the one that the ETag names. Deleting what is gone already is no error.
   */
  async deleteVersion(object: PinnedObject): Promise<void> {
    try {
      const target = { ...object };
      if (object.versionId === undefined) target.versionId = (await this.head(object)).versionId;
      // Conditional deletes are newer than many servers; where they are unknown the HEAD above is what guards.
      const condition = target.versionId === undefined ? match(object) : {};
      await this.ask(target, (s3) => s3.send(new DeleteObjectCommand({ ...address(target), ...condition })));
    } catch (error) {
      if (error instanceof StorageError && error.outcome === 'gone') return;
      throw error;
    }
  }

  async put(
    ref: ObjectRef,
    body: Buffer | string,
    options: { contentType?: string; tags?: Tags } = {},
  ): Promise<{ versionId?: string | undefined; eTag: string }> {
    const answer = await this.ask(ref, (s3) =>
      s3.send(
        new PutObjectCommand({
          Bucket: ref.bucket,
          Key: ref.key,
          Body: Buffer.from(body),
          ContentType: options.contentType,
          ...(options.tags !== undefined && { Tagging: new URLSearchParams(options.tags).toString() }),
        }),
      ),
    );
    return { versionId: answer.VersionId, eTag: unquoted(answer.ETag) };
  }

  /** Current objects of a bucket in key order, a page at a time. */
  async list(
    bucket: { endpointId: string; bucket: string },
    options: { prefix?: string; after?: string; limit?: number } = {},
  ): Promise<{ items: ListedVersion[]; nextAfter?: string | undefined }> {
    const answer = await this.ask(bucket, (s3) =>
      s3.send(
        new ListObjectsV2Command({
          Bucket: bucket.bucket,
          Prefix: options.prefix,
          StartAfter: options.after,
          MaxKeys: options.limit ?? 1000,
        }),
      ),
    );
    const items = (answer.Contents ?? []).map((entry) => listed(entry));
    return { items, nextAfter: answer.IsTruncated === true ? items.at(-1)?.key : undefined };
  }

  /** Every version of one key, newest first; delete markers left out. At most 1,000. */
  async versionsOf(ref: ObjectRef): Promise<ListedVersion[]> {
    const answer = await this.ask(ref, (s3) =>
      s3.send(new ListObjectVersionsCommand({ Bucket: ref.bucket, Prefix: ref.key })),
    );
    return (answer.Versions ?? [])
      .filter((entry) => entry.Key === ref.key)
      .map((entry) => ({ ...listed(entry), versionId: entry.VersionId }));
  }

  private async writeTags(ref: ObjectRef, tags: Tags): Promise<void> {
    const TagSet = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    await this.ask(ref, (s3) =>
      s3.send(new PutObjectTaggingCommand({ ...address(ref), Tagging: { TagSet } })),
    );
  }

  private async ask<T>(where: { endpointId: string }, call: (s3: S3Client) => Promise<T>): Promise<T> {
    const client = this.endpoints.client(where.endpointId);
    try {
      return await call(client);
    } catch (error) {
      throw asStorageError(error);
    }
  }
}

const unquoted = (eTag: string | undefined): string => (eTag ?? '').replace(/^W\//, '').replaceAll('"', '');

const address = (ref: ObjectRef) => ({
  Bucket: ref.bucket,
  Key: ref.key,
  ...(ref.versionId !== undefined && { VersionId: ref.versionId }),
});

const match = (ref: { readonly eTag?: string | undefined }) =>
  ref.eTag === undefined ? {} : { IfMatch: `"${ref.eTag}"` };

const abortable = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { abortSignal: signal });

/** A version id names bytes for ever, except "null", which the next unversioned write replaces. */
const isImmutable = (versionId: string | undefined): boolean =>
  versionId !== undefined && versionId !== 'null';

const lockKey = (ref: ObjectRef): string => JSON.stringify([ref.endpointId, ref.bucket, ref.key]);

function supersededAsUndefined(error: unknown): undefined {
  if (error instanceof StorageError && error.outcome === 'superseded') return undefined;
  throw error;
}

/** GLACIER_IR is readable at once, in spite of its name; a restored copy is readable while it lasts. */
function isArchived({ StorageClass, ArchiveStatus, Restore }: HeadObjectCommandOutput): boolean {
  const isCold = StorageClass === 'GLACIER' || StorageClass === 'DEEP_ARCHIVE' || ArchiveStatus !== undefined;
  return isCold && Restore?.includes('ongoing-request="false"') !== true;
}

function headOf(answer: HeadObjectCommandOutput): ObjectHead {
  return {
    eTag: unquoted(answer.ETag),
    sizeBytes: answer.ContentLength ?? 0,
    lastModified: (answer.LastModified ?? new Date(0)).toISOString(),
    contentType: answer.ContentType,
    storageClass: answer.StorageClass,
    versionId: answer.VersionId,
    metadata: answer.Metadata ?? {},
    isArchived: isArchived(answer),
    headers: {
      CacheControl: answer.CacheControl,
      ContentDisposition: answer.ContentDisposition,
      ContentEncoding: answer.ContentEncoding,
      ContentLanguage: answer.ContentLanguage,
      ContentType: answer.ContentType,
      ExpiresString: answer.ExpiresString,
      WebsiteRedirectLocation: answer.WebsiteRedirectLocation,
    },
  };
}

const listed = (entry: Pick<_Object, 'Key' | 'ETag' | 'Size' | 'LastModified'>): ListedVersion => ({
  key: entry.Key ?? '',
  eTag: unquoted(entry.ETag),
  sizeBytes: entry.Size ?? 0,
  lastModified: (entry.LastModified ?? new Date(0)).toISOString(),
});
