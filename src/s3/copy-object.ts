import { CopyObjectCommand } from '@aws-sdk/client-s3';
import { copyInParts } from './copy-in-parts.js';
import {
  atRest,
  copySource,
  COPY_TIMEOUT_MS,
  repeated,
  type CopyFacts,
  type CopyRequest,
  type Written,
} from './copy-request.js';
import type { Ask } from './list-pages.js';
import { StorageError } from './storage-error.js';

// S3 copies at most 5 GiB in one request.
const SINGLE_COPY_BYTES = 5 * 1024 ** 3;
/**
 * Copies by the server: in one request, or in parts beyond S3's limit. Content headers, metadata and tags come along; the
 * access control list does not (S3 never copies it).
 */
export async function copyObject(ask: Ask, request: CopyRequest, facts: CopyFacts): Promise<Written> {
  const isLarge = facts.head.sizeBytes > (facts.multipartCopyBytes ?? SINGLE_COPY_BYTES);
  return isLarge ? copyInParts(ask, request, facts) : atOnce(ask, request, facts);
}

async function atOnce(ask: Ask, request: CopyRequest, { head }: CopyFacts): Promise<Written> {
  const { source, destination, metadata } = request;
  const answer = await ask('CopyObject', (s3) =>
    s3.send(
      new CopyObjectCommand({
        Bucket: destination.bucket,
        Key: destination.key,
        CopySource: copySource(source),
        CopySourceIfMatch: `"${source.eTag}"`,
        TaggingDirective: 'COPY',
        ...atRest(request),
        ...(request.mustBeNew === true && { IfNoneMatch: '*' }),
        ...(metadata === undefined
          ? { MetadataDirective: 'COPY' as const }
          : { MetadataDirective: 'REPLACE' as const, Metadata: { ...metadata }, ...repeated(head) }),
      }),
      { requestTimeout: COPY_TIMEOUT_MS },
    ),
  );
  const eTag = answer.CopyObjectResult?.ETag;
  if (eTag === undefined) throw new StorageError('other', 'EmptyAnswer', 'COPY did not name the new object');
  return { eTag: eTag.replaceAll('"', ''), versionId: answer.VersionId };
}
