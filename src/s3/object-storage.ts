import {
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  PutObjectRetentionCommand,
  PutObjectTaggingCommand,
  type GetObjectCommandOutput,
  type _Object,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Readable } from 'node:stream';
import type { ObjectRef } from '../verdicts/ledger.js';
import { BODY_IDLE_MS, chunksOf, digestOf, type OpenedBody } from './body.js';
import { abortUpload, beginUpload, lookAtUploads } from './copy-in-parts.js';
import { copyObject } from './copy-object.js';
import type { CopyRequest, Written } from './copy-request.js';
import type { Endpoints } from './endpoints.js';
import { KeyedLock } from './keyed-lock.js';
import { asStorageError } from './explain-error.js';
import {
  listPages,
  versioningOf,
  type Ask,
  type ListedBucket,
  type ListingKind,
  type ListingOptions,
  type ListingPage,
} from './list-pages.js';
import type { ListedEntry } from './listing-guard.js';
import { headOf, unquoted, type ObjectHead } from './object-head.js';
import { badAnswer, StorageError } from './storage-error.js';
import { merged, placed, without, type OwnTags, type PlacedTags, type Tags } from './tags.js';

export type { ObjectHead } from './object-head.js';

/** An object held fast: by its version where there is one, and by its ETag in any case. */
export interface PinnedObject extends ObjectRef {
  /** Without quotes. */
  readonly eTag: string;
}

/** How tagging ended: `superseded` when the object was replaced meanwhile and our tags were taken back. */
export type TagOutcome = 'tagged' | 'superseded';

/** The same with what was written, and what of it found no room among the user's tags. */
export type Placement =
  | { readonly kind: 'tagged'; readonly written: Tags; readonly left: readonly string[] }
  | { readonly kind: 'superseded' };

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

export interface ObjectStorageOptions {
  /** Above it a copy is made in parts; S3's limit when absent. */
  readonly multipartCopyBytes?: number;
  readonly copyPartBytes?: number;
  /** How long a body may be silent. */
  readonly bodyIdleMs?: number;
}

/**
 * Objects of the registered endpoints: every read and write of the service goes through here.
 *
 * Every method fails with StorageError, which says in the ledger's words what happened.
 */
export class ObjectStorage {
  private readonly tagging = new KeyedLock();
  private readonly bodyIdleMs: number;

  constructor(
    private readonly endpoints: Endpoints,
    private readonly options: ObjectStorageOptions = {},
  ) {
    this.bodyIdleMs = options.bodyIdleMs ?? BODY_IDLE_MS;
  }

  /** HEAD of the version that `ref` names, the current one without; `eTag` makes a replaced object `superseded`. */
  async head(
    ref: ObjectRef & { readonly eTag?: string | undefined },
    signal?: AbortSignal,
  ): Promise<ObjectHead> {
    try {
      const answer = await this.ask(ref, 'HeadObject', (s3) =>
        s3.send(new HeadObjectCommand({ ...address(ref), ...match(ref) }), abortable(signal)),
      );
      return headOf(answer);
    } catch (error) {
      throw await this.explained(ref, error, signal);
    }
  }

  /** A refused HEAD has no body to say why (which right, which key, which region); a GET of one byte has. */
  private async explained(ref: ObjectRef, error: unknown, signal?: AbortSignal): Promise<unknown> {
    if (!(error instanceof StorageError) || !UNEXPLAINED.has(error.s3Code)) return error;
    if (error.reason === 'delete_marker') return error;
    try {
      const answer = await this.ask(ref, 'GetObject', (s3) =>
        s3.send(new GetObjectCommand({ ...address(ref), Range: 'bytes=0-0' }), abortable(signal)),
      );
      (answer.Body as Readable | undefined)?.destroy();
      return error;
    } catch (told) {
      return told instanceof StorageError && told.s3Code !== 'InvalidRange' ? told : error;
    }
  }

  /** GET, pinned; from byte `from` on. The caller destroys the body when leaving early. */
  async open(
    object: PinnedObject,
    options: { from?: number; signal?: AbortSignal } = {},
  ): Promise<OpenedBody> {
    const from = options.from ?? 0;
    const answer = await this.ask(object, 'GetObject', (s3) =>
      s3.send(
        new GetObjectCommand({
          ...address(object),
          ...match(object),
          ...(from > 0 && { Range: `bytes=${from}-` }),
        }),
        abortable(options.signal),
      ),
    );
    return openedBody(object, answer, from);
  }

  /** The first bytes, at most `count`. An empty object gives an empty buffer. */
  async peek(object: PinnedObject, count: number, signal?: AbortSignal): Promise<Buffer> {
    const answer = await this.ask(object, 'GetObject', (s3) =>
      s3.send(
        new GetObjectCommand({ ...address(object), ...match(object), Range: `bytes=0-${count - 1}` }),
        abortable(signal),
      ),
    ).catch((error: unknown) => {
      if (error instanceof StorageError && error.s3Code === 'InvalidRange') return undefined;
      throw error;
    });
    if (answer === undefined) return Buffer.alloc(0);
    const parts: Buffer[] = [];
    let seen = 0;
    for await (const chunk of chunksOf(openedBody(object, answer, 0), this.bodyIdleMs)) {
      parts.push(chunk);
      seen += chunk.length;
      // A server that ignores the range would send everything.
      if (seen >= count) break;
    }
    return Buffer.concat(parts).subarray(0, count);
  }

  async readTags(ref: ObjectRef): Promise<Tags> {
    const answer = await this.ask(ref, 'GetObjectTagging', (s3) =>
      s3.send(new GetObjectTaggingCommand(address(ref))),
    );
    // Taken for no tags at all, it would cost the object its user's tags at the next write.
    if (answer.TagSet === undefined) throw badAnswer('It holds no set of tags');
    return Object.fromEntries(answer.TagSet.map((tag) => [tag.Key ?? '', tag.Value ?? '']));
  }

  /**
   * Adds tags beside the user's. S3 has no conditional tagging: in a versioned bucket the version pins the write; without
   * versions an object that is replaced in the same moment may get our tags, which are then taken back.
   *
   * @throws TagsFull when S3's limit of ten leaves no room.
   */
  async mergeTags(object: PinnedObject, tags: Tags): Promise<TagOutcome> {
    const { kind } = await this.changeTags(object, (present) => {
      const all = merged(present, tags);
      return { all, written: tags, left: [] };
    });
    return kind;
  }

  /** The same with tags of our own, as many as fit; `mayWrite` throws when it is too late for it. */
  placeTags(object: PinnedObject, own: OwnTags, mayWrite?: () => void): Promise<Placement> {
    return this.changeTags(object, (present) => placed(present, own), mayWrite);
  }

  private changeTags(
    object: PinnedObject,
    change: (present: Tags) => PlacedTags,
    mayWrite: () => void = () => undefined,
  ): Promise<Placement> {
    return this.tagging.hold(lockKey(object), async () => {
      // A version is what it was, or is gone, which the next call says.
      if (isImmutable(object.versionId)) {
        const { all, written, left } = change(await this.readTags(object));
        mayWrite();
        await this.writeTags(object, all);
        return { kind: 'tagged', written, left };
      }
      const before = await this.head(object).catch(supersededAsUndefined);
      if (before === undefined) return { kind: 'superseded' };
      const target = { ...object, versionId: object.versionId ?? before.versionId };
      const { all, written, left } = change(await this.readTags(target));
      mayWrite();
      await this.writeTags(target, all);
      if (isImmutable(target.versionId)) return { kind: 'tagged', written, left };
      const after = await this.head(object).catch(supersededAsUndefined);
      if (after !== undefined && after.lastModified === before.lastModified)
        return { kind: 'tagged', written, left };
      await this.writeTags(target, without(await this.readTags(target), written));
      return { kind: 'superseded' };
    });
  }

  /** Copies within an endpoint. The copy is not trusted before `verifyCopy`. */
  async copy(request: CopyRequest): Promise<Written> {
    const { source } = request;
    const head = await this.head(source);
    const tags = await this.readTags(source);
    return copyObject(this.asking(source), request, { head, tags, ...this.options });
  }

  /**
   * Reads a copy back. @throws StorageError `CopyDiffers` when it has not these bytes; it is left as it is.
   */
  async verifyCopy(
    copy: PinnedObject,
    expected: { readonly sizeBytes: number; readonly sha256: string },
  ): Promise<Copied> {
    const { sizeBytes, eTag } = await this.head(copy);
    const sha256 = sizeBytes === expected.sizeBytes ? await this.digest(copy) : undefined;
    if (sha256 === expected.sha256) return { versionId: copy.versionId, eTag, sizeBytes, sha256 };
    throw new StorageError('other', 'CopyDiffers', 'the copy does not hold the same bytes', {
      reason: 'copy_differs',
    });
  }

  /** Copies, reads the copy back and removes one that differs. `sha256`, when known, must be the source's. */
  async copyVerified(request: CopyRequest): Promise<Copied> {
    const { source, destination } = request;
    const { sizeBytes } = await this.head(source);
    const written = await this.copy(request);
    const copy = { ...destination, endpointId: source.endpointId, ...written };
    try {
      const sha256 = request.sha256 ?? (await this.digest(source));
      return await this.verifyCopy(copy, { sizeBytes, sha256 });
    } catch (error) {
      if (error instanceof StorageError && error.s3Code === 'CopyDiffers') await this.deleteVersion(copy);
      throw error;
    }
  }

  /** Ends an upload in parts that nobody goes on with. */
  async abortUpload(upload: { endpointId: string; bucket: string; key: string; uploadId: string }) {
    const target = { Bucket: upload.bucket, Key: upload.key };
    await abortUpload(this.asking(upload), target, upload.uploadId);
  }

  /** Begins an upload in parts that gets none; whoever asked for it aborts it. */
  async beginUpload(place: { endpointId: string; bucket: string; key: string }): Promise<string> {
    return beginUpload(this.asking(place), { Bucket: place.bucket, Key: place.key });
  }

  /** Lists the parts of an upload, and the uploads of its key; what it finds is of no interest, that it may look is. */
  async lookAtUpload(
    upload: { endpointId: string; bucket: string; key: string; uploadId: string },
    what: 'parts' | 'uploads of the key',
  ): Promise<void> {
    const target = { Bucket: upload.bucket, Key: upload.key };
    if (what === 'parts') await lookAtUploads.parts(this.asking(upload), target, upload.uploadId);
    else await lookAtUploads.ofKey(this.asking(upload), target);
  }

  /** SHA-256 of the object's bytes, read through once. */
  async digest(object: PinnedObject, signal?: AbortSignal): Promise<string> {
    return digestOf(await this.open(object, signal === undefined ? {} : { signal }), this.bodyIdleMs);
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
      await this.ask(target, 'DeleteObject', (s3) =>
        s3.send(new DeleteObjectCommand({ ...address(target), ...condition })),
      );
    } catch (error) {
      if (error instanceof StorageError && error.outcome === 'gone') return;
      throw error;
    }
  }

  /** @throws StorageError with `superseded` where it must be new and is not. */
  async put(
    ref: ObjectRef,
    body: Buffer | string,
    options: { contentType?: string; tags?: Tags; mustBeNew?: boolean } = {},
  ): Promise<{ versionId?: string | undefined; eTag: string }> {
    const answer = await this.ask(ref, 'PutObject', (s3) =>
      s3.send(
        new PutObjectCommand({
          Bucket: ref.bucket,
          Key: ref.key,
          Body: Buffer.from(body),
          ContentType: options.contentType,
          ...(options.mustBeNew === true && { IfNoneMatch: '*' }),
          ...(options.tags !== undefined && { Tagging: new URLSearchParams(options.tags).toString() }),
        }),
      ),
    );
    return { versionId: answer.VersionId, eTag: unquoted(answer.ETag) };
  }

  /**
   * Keeps one version from being deleted until then: `governance` from all but those with a right of their own,
   * `compliance` from everybody. S3 shortens nothing that was locked longer.
   *
   * @throws StorageError where the bucket has no object lock, or the endpoint knows none.
   */
  async retain(
    ref: ObjectRef & { readonly versionId: string },
    { mode, until }: { readonly mode: 'governance' | 'compliance'; readonly until: Date },
  ): Promise<void> {
    await this.ask(ref, 'PutObjectRetention', (s3) =>
      s3.send(
        new PutObjectRetentionCommand({
          Bucket: ref.bucket,
          Key: ref.key,
          VersionId: ref.versionId,
          Retention: { Mode: mode === 'governance' ? 'GOVERNANCE' : 'COMPLIANCE', RetainUntilDate: until },
        }),
      ),
    );
  }

  /** Current objects of a bucket in key order, a page at a time. */
  async list(
    bucket: { endpointId: string; bucket: string },
    options: { prefix?: string; after?: string; limit?: number } = {},
  ): Promise<{ items: ListedVersion[]; nextAfter?: string | undefined }> {
    const answer = await this.ask(bucket, 'ListObjectsV2', (s3) =>
      s3.send(
        new ListObjectsV2Command({
          Bucket: bucket.bucket,
          Prefix: options.prefix,
          StartAfter: options.after,
          MaxKeys: options.limit ?? 1000,
        }),
      ),
    );
    // Without it this would look like an empty bucket.
    if (answer.Name === undefined) throw badAnswer('It names no bucket');
    const items = (answer.Contents ?? []).map((entry) => listed(entry));
    return { items, nextAfter: answer.IsTruncated === true ? items.at(-1)?.key : undefined };
  }

  /** Every version of one key, newest first; delete markers left out. At most 1,000. */
  async versionsOf(ref: ObjectRef): Promise<ListedVersion[]> {
    const answer = await this.ask(ref, 'ListObjectVersions', (s3) =>
      s3.send(new ListObjectVersionsCommand({ Bucket: ref.bucket, Prefix: ref.key })),
    );
    if (answer.Name === undefined) throw badAnswer('It names no bucket');
    return (answer.Versions ?? [])
      .filter((entry) => entry.Key === ref.key)
      .map((entry) => ({ ...listed(entry), versionId: entry.VersionId }));
  }

  /**
   * The versions of one key whose ETag is this one, newest first: of the {@link SEARCHED_VERSIONS} newest ones, a
   * request for each thousand.
   */
  async versionsLike(ref: ObjectRef, eTag: string, signal?: AbortSignal): Promise<ListedEntry[]> {
    const found: ListedEntry[] = [];
    let seen = 0;
    for await (const { entries } of listPages(this.asking(ref), ref, 'versions', {
      prefix: ref.key,
      signal,
    })) {
      // Keys are in order, so this one's versions come first.
      const ofKey = entries.filter(({ key }) => key === ref.key);
      found.push(...ofKey.filter((entry) => !entry.isDeleteMarker && entry.eTag === eTag));
      seen += ofKey.length;
      if (ofKey.length < entries.length || seen >= SEARCHED_VERSIONS) break;
    }
    return found;
  }

  /**
   * Everything in a bucket, page by page: see {@link listPages}. In a bucket that keeps no versions, or on a server that
   * does not know them, the objects as they are now.
   */
  async *listPages(
    bucket: ListedBucket,
    options: ListingOptions & { readonly kind?: ListingKind | undefined } = {},
  ): AsyncGenerator<ListingPage, void, undefined> {
    const kind = options.kind ?? (await this.listingKind(bucket));
    const asked = listPages(this.asking(bucket), bucket, kind, options);
    yield* asked;
  }

  /** How the bucket is listed. A bucket that hides whether it keeps versions is asked for them. */
  async listingKind(bucket: ListedBucket): Promise<ListingKind> {
    const ask = this.asking(bucket);
    try {
      return (await versioningOf(ask, bucket)) === 'never' ? 'objects' : 'versions';
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      if (isUnknownCall(error)) return 'objects';
      if (error.outcome === 'denied') return 'versions';
      throw error;
    }
  }

  private async writeTags(ref: ObjectRef, tags: Tags): Promise<void> {
    const TagSet = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    await this.ask(ref, 'PutObjectTagging', (s3) =>
      s3.send(new PutObjectTaggingCommand({ ...address(ref), Tagging: { TagSet } })),
    );
  }

  private asking(where: { endpointId: string }): Ask {
    return (operation, call) => this.ask({ endpointId: where.endpointId }, operation, call);
  }

  private async ask<T>(
    where: { endpointId: string; versionId?: string | undefined },
    operation: string,
    call: (s3: S3Client) => Promise<T>,
  ): Promise<T> {
    const client = this.endpoints.client(where.endpointId);
    try {
      return await call(client);
    } catch (error) {
      throw asStorageError(error, { operation, ofVersion: where.versionId !== undefined });
    }
  }
}

// An upload that was overwritten more often before its first look is left to the comparison with the listing.
const SEARCHED_VERSIONS = 10_000;

// What a HEAD without a body is called by its status alone.
const UNEXPLAINED = new Set([
  'Forbidden',
  'BadRequest',
  'Unauthorized',
  'PermanentRedirect',
  // The bucket, as often as the object; and a bucket that is not there must not look like objects that are gone.
  'NotFound',
]);

/** The body of a GET, if it is of what was asked for. */
function openedBody(object: PinnedObject, answer: GetObjectCommandOutput, from: number): OpenedBody {
  const body = answer.Body as Readable | undefined;
  const problem = problemWith(object, answer, from);
  if (problem === undefined && body !== undefined && answer.ContentLength !== undefined) {
    return { body, lengthBytes: answer.ContentLength };
  }
  body?.destroy();
  throw problem ?? badAnswer('GET told no length');
}

function problemWith(
  object: PinnedObject,
  { ETag, VersionId, ContentRange, $metadata }: GetObjectCommandOutput,
  from: number,
): StorageError | undefined {
  // A proxy's page, or a cache that answers for another object, knows neither.
  if (unquoted(ETag) !== object.eTag) return badAnswer('GET answered with another object');
  if (object.versionId !== undefined && VersionId !== undefined && VersionId !== object.versionId)
    return badAnswer('GET answered with another version');
  if (from === 0) return undefined;
  if ($metadata.httpStatusCode !== 206 || !(ContentRange ?? '').startsWith(`bytes ${from}-`)) {
    return new StorageError('other', 'RangeIgnored', 'the server does not serve ranges', {
      reason: 'range_ignored',
    });
  }
  return undefined;
}

const address = (ref: ObjectRef) => ({
  Bucket: ref.bucket,
  Key: ref.key,
  ...(ref.versionId !== undefined && { VersionId: ref.versionId }),
});

const match = (ref: { readonly eTag?: string | undefined }) =>
  ref.eTag === undefined ? {} : { IfMatch: `"${ref.eTag}"` };

const abortable = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { abortSignal: signal });

/** A version id names bytes for ever, except "null", which the next unversioned write replaces. */
export const isImmutable = (versionId: string | undefined): boolean =>
  versionId !== undefined && versionId !== 'null';

/** Servers that keep no versions know no call that asks for them. */
const isUnknownCall = ({ s3Code }: StorageError): boolean =>
  ['NotImplemented', 'MethodNotAllowed', 'UnsupportedOperation', 'InvalidRequest'].includes(s3Code);

const lockKey = (ref: ObjectRef): string => JSON.stringify([ref.endpointId, ref.bucket, ref.key]);

function supersededAsUndefined(error: unknown): undefined {
  if (error instanceof StorageError && error.outcome === 'superseded') return undefined;
  throw error;
}

const listed = (entry: Pick<_Object, 'Key' | 'ETag' | 'Size' | 'LastModified'>): ListedVersion => ({
  key: entry.Key ?? '',
  eTag: unquoted(entry.ETag),
  sizeBytes: entry.Size ?? 0,
  lastModified: (entry.LastModified ?? new Date(0)).toISOString(),
});
