import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  UploadPartCopyCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { ObjectHead } from './object-head.js';
import type { PinnedObject } from './object-storage.js';
import { StorageError } from './storage-error.js';
import type { Tags } from './tags.js';

export interface CopyRequest {
  readonly source: PinnedObject;
  /** On the source's endpoint. */
  readonly destination: { readonly bucket: string; readonly key: string };
  /** The copy's user metadata; the source's when absent. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** What the bytes must hash to, in hex. */
  readonly sha256?: string | undefined;
  /** Fails as `superseded` when the destination exists. */
  readonly mustBeNew?: boolean | undefined;
}

interface CopyFacts {
  readonly head: ObjectHead;
  readonly tags: Tags;
  readonly multipartCopyBytes?: number;
  readonly copyPartBytes?: number;
}

interface Written {
  readonly eTag: string;
  readonly versionId?: string | undefined;
}

// S3 copies at most 5 GiB in one request.
const SINGLE_COPY_BYTES = 5 * 1024 ** 3;
// 10,000 parts of this size reach beyond S3's largest object.
const COPY_PART_BYTES = 1024 ** 3;
// A 5 GiB copy answers only when it is done.
const COPY_TIMEOUT_MS = 15 * 60_000;

/** Copies by the server: in one request, or in parts beyond S3's limit. Headers, metadata and tags come along. */
export async function copyObject(s3: S3Client, request: CopyRequest, facts: CopyFacts): Promise<Written> {
  const isLarge = facts.head.sizeBytes > (facts.multipartCopyBytes ?? SINGLE_COPY_BYTES);
  return isLarge ? inParts(s3, request, facts) : atOnce(s3, request, facts);
}

async function atOnce(s3: S3Client, request: CopyRequest, { head }: CopyFacts): Promise<Written> {
  const { source, destination, metadata } = request;
  const answer = await s3.send(
    new CopyObjectCommand({
      Bucket: destination.bucket,
      Key: destination.key,
      CopySource: copySource(source),
      CopySourceIfMatch: `"${source.eTag}"`,
      TaggingDirective: 'COPY',
      ...(request.mustBeNew === true && { IfNoneMatch: '*' }),
      ...(metadata === undefined
        ? { MetadataDirective: 'COPY' as const }
        : { MetadataDirective: 'REPLACE' as const, Metadata: { ...metadata }, ...repeated(head) }),
    }),
    { requestTimeout: COPY_TIMEOUT_MS },
  );
  const eTag = answer.CopyObjectResult?.ETag;
  if (eTag === undefined) throw new StorageError('other', 'EmptyAnswer', 'COPY did not name the new object');
  return { eTag: eTag.replaceAll('"', ''), versionId: answer.VersionId };
}

async function inParts(s3: S3Client, request: CopyRequest, facts: CopyFacts): Promise<Written> {
  const { destination } = request;
  const target = { Bucket: destination.bucket, Key: destination.key };
  const { UploadId } = await s3.send(
    new CreateMultipartUploadCommand({
      ...target,
      ...repeated(facts.head),
      Metadata: { ...(request.metadata ?? facts.head.metadata) },
      Tagging: new URLSearchParams(facts.tags).toString(),
    }),
  );
  if (UploadId === undefined) throw new StorageError('other', 'EmptyAnswer', 'the upload was not named');
  try {
    const Parts = await copyParts(s3, request, facts, UploadId);
    const done = await s3.send(
      new CompleteMultipartUploadCommand({
        ...target,
        UploadId,
        MultipartUpload: { Parts },
        ...(request.mustBeNew === true && { IfNoneMatch: '*' }),
      }),
      { requestTimeout: COPY_TIMEOUT_MS },
    );
    return { eTag: (done.ETag ?? '').replaceAll('"', ''), versionId: done.VersionId };
  } catch (error) {
    // What is left of a broken upload is billed until it is aborted; the first error is the one that explains.
    await s3.send(new AbortMultipartUploadCommand({ ...target, UploadId })).catch(() => undefined);
    throw error;
  }
}

async function copyParts(
  s3: S3Client,
  { source, destination }: CopyRequest,
  { head, copyPartBytes = COPY_PART_BYTES }: CopyFacts,
  UploadId: string,
): Promise<{ PartNumber: number; ETag: string | undefined }[]> {
  const parts: { PartNumber: number; ETag: string | undefined }[] = [];
  for (let from = 0; from < head.sizeBytes; from += copyPartBytes) {
    const to = Math.min(from + copyPartBytes, head.sizeBytes) - 1;
    const PartNumber = parts.length + 1;
    const answer = await s3.send(
      new UploadPartCopyCommand({
        Bucket: destination.bucket,
        Key: destination.key,
        UploadId,
        PartNumber,
        CopySource: copySource(source),
        CopySourceIfMatch: `"${source.eTag}"`,
        CopySourceRange: `bytes=${from}-${to}`,
      }),
      { requestTimeout: COPY_TIMEOUT_MS },
    );
    parts.push({ PartNumber, ETag: answer.CopyPartResult?.ETag });
  }
  return parts;
}

/** The headers that replacing metadata would drop. */
function repeated({ headers }: ObjectHead) {
  const { ExpiresString, ...others } = headers;
  const expires = ExpiresString === undefined ? undefined : new Date(ExpiresString);
  return {
    ...others,
    ...(expires !== undefined && !Number.isNaN(expires.getTime()) && { Expires: expires }),
  };
}

/** Header value of x-amz-copy-source: percent-encoded, slashes kept. */
function copySource({ bucket, key, versionId }: PinnedObject): string {
  const path = `${bucket}/${key}`.split('/').map(encodeURIComponent).join('/');
  return versionId === undefined ? path : `${path}?versionId=${encodeURIComponent(versionId)}`;
}
