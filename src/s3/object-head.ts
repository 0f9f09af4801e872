import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import type { ObjectFacts } from '../verdicts/ledger.js';
import { badAnswer } from './storage-error.js';

/** HEAD's answer. */
export interface ObjectHead extends ObjectFacts {
  readonly versionId?: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  /** In a storage class that must be restored before it can be read. */
  readonly isArchived: boolean;
  /** A restore was asked for and is not done yet. */
  readonly isRestoring: boolean;
  /** The headers that a copy must repeat when it replaces metadata. */
  readonly headers: ObjectHeaders;
  readonly encryption: ObjectEncryption;
  readonly lock: ObjectLock;
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

/** How S3 encrypts the object at rest; all absent where the server does not say. */
export interface ObjectEncryption {
  /** `AES256`, `aws:kms`, `aws:kms:dsse`. */
  readonly algorithm?: string | undefined;
  readonly kmsKeyId?: string | undefined;
  readonly usesBucketKey?: boolean | undefined;
}

/** What keeps the version from being deleted; told only to who may read it (s3:GetObjectRetention, …LegalHold). */
export interface ObjectLock {
  readonly mode?: string | undefined;
  /** ISO 8601. */
  readonly retainUntil?: string | undefined;
  readonly hasLegalHold: boolean;
}

/** ETags are compared without quotes. */
export const unquoted = (eTag: string | undefined): string =>
  (eTag ?? '').replace(/^W\//, '').replaceAll('"', '');

/** @throws StorageError for an answer that no S3 server would give */
export function headOf(answer: HeadObjectCommandOutput): ObjectHead {
  if (answer.ETag === undefined || answer.ContentLength === undefined)
    throw badAnswer('HEAD told no ETag or no length');
  return {
    eTag: unquoted(answer.ETag),
    sizeBytes: answer.ContentLength,
    lastModified: (answer.LastModified ?? new Date(0)).toISOString(),
    contentType: answer.ContentType,
    storageClass: answer.StorageClass,
    versionId: answer.VersionId,
    metadata: answer.Metadata ?? {},
    isArchived: isArchived(answer),
    isRestoring: answer.Restore?.includes('ongoing-request="true"') === true,
    headers: {
      CacheControl: answer.CacheControl,
      ContentDisposition: answer.ContentDisposition,
      ContentEncoding: answer.ContentEncoding,
      ContentLanguage: answer.ContentLanguage,
      ContentType: answer.ContentType,
      ExpiresString: answer.ExpiresString,
      WebsiteRedirectLocation: answer.WebsiteRedirectLocation,
    },
    encryption: {
      algorithm: answer.ServerSideEncryption,
      kmsKeyId: answer.SSEKMSKeyId,
      usesBucketKey: answer.BucketKeyEnabled,
    },
    lock: {
      mode: answer.ObjectLockMode,
      retainUntil: answer.ObjectLockRetainUntilDate?.toISOString(),
      hasLegalHold: answer.ObjectLockLegalHoldStatus === 'ON',
    },
  };
}

/** GLACIER_IR is readable at once, in spite of its name; a restored copy is readable while it lasts. */
function isArchived({ StorageClass, ArchiveStatus, Restore }: HeadObjectCommandOutput): boolean {
  const isCold = StorageClass === 'GLACIER' || StorageClass === 'DEEP_ARCHIVE' || ArchiveStatus !== undefined;
  return isCold && Restore?.includes('ongoing-request="false"') !== true;
}
