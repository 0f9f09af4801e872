import type { ServerSideEncryption, StorageClass } from '@aws-sdk/client-s3';
import type { ObjectEncryption, ObjectHead } from './object-head.js';
import type { PinnedObject } from './object-storage.js';
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
  /** The copy's; the destination bucket's default when absent. */
  readonly encryption?: ObjectEncryption | undefined;
  /** The copy's; STANDARD when absent. */
  readonly storageClass?: string | undefined;
  /** Where a copy in parts is written down, so that a crash in the middle loses no part and leaves none behind. */
  readonly journal?: UploadJournal | undefined;
}

/** Remembers one upload in parts. */
export interface UploadJournal {
  /** The upload that an earlier attempt began. */
  find(): Promise<string | undefined>;
  /** Called before the first part. */
  began(uploadId: string): Promise<void>;
  /** It was aborted. */
  ended(uploadId: string): Promise<void>;
  /** Nobody but us writes to the destination's key, so that whatever else was begun there is a leftover of ours. */
  readonly ownsKey: boolean;
}

export interface CopyFacts {
  readonly head: ObjectHead;
  readonly tags: Tags;
  readonly multipartCopyBytes?: number | undefined;
  readonly copyPartBytes?: number | undefined;
}

export interface Written {
  readonly eTag: string;
  readonly versionId?: string | undefined;
}

// A 5 GiB copy answers only when it is done.
export const COPY_TIMEOUT_MS = 15 * 60_000;

/** Encryption and class of the copy. Only what differs from a bucket's defaults is said: not every server knows them. */
export function atRest({ encryption, storageClass }: CopyRequest) {
  return {
    ...kmsOf(encryption),
    ...(storageClass !== undefined &&
      storageClass !== 'STANDARD' && { StorageClass: storageClass as StorageClass }),
  };
}

function kmsOf(encryption: ObjectEncryption = {}) {
  const { algorithm, kmsKeyId, usesBucketKey } = encryption;
  if (algorithm !== 'aws:kms' && algorithm !== 'aws:kms:dsse') return {};
  const ServerSideEncryption: ServerSideEncryption = algorithm;
  return {
    ServerSideEncryption,
    ...(kmsKeyId !== undefined && { SSEKMSKeyId: kmsKeyId }),
    ...(usesBucketKey !== undefined && { BucketKeyEnabled: usesBucketKey }),
  };
}

/** The headers that replacing metadata would drop. */
export function repeated({ headers }: ObjectHead) {
  const { ExpiresString, ...others } = headers;
  const expires = ExpiresString === undefined ? undefined : new Date(ExpiresString);
  return {
    ...others,
    ...(expires !== undefined && !Number.isNaN(expires.getTime()) && { Expires: expires }),
  };
}

/** Header value of x-amz-copy-source: percent-encoded, slashes kept. */
export function copySource({ bucket, key, versionId }: PinnedObject): string {
  const path = `${bucket}/${key}`.split('/').map(encodeURIComponent).join('/');
  return versionId === undefined ? path : `${path}?versionId=${encodeURIComponent(versionId)}`;
}
