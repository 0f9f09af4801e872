import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCopyCommand,
  type ListPartsCommandOutput,
} from '@aws-sdk/client-s3';
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

/** One part's place in the object. */
export interface PartRange {
  readonly number: number;
  readonly from: number;
  /** Inclusive. */
  readonly to: number;
}

interface DonePart {
  readonly PartNumber: number;
  readonly ETag: string;
}

interface Target {
  readonly Bucket: string;
  readonly Key: string;
}

// Each answers within a minute or two; larger ones only where there would be more than S3 takes.
const COPY_PART_BYTES = 1024 ** 3;
const MAX_PARTS = 10_000;
const PARTS_AT_ONCE = 4;
const MAX_STRAYS = 100;

/** The parts that an object is copied in. */
export function partsOf(sizeBytes: number, partBytes: number): readonly PartRange[] {
  const count = Math.ceil(sizeBytes / partBytes);
  return Array.from({ length: count }, (_, index) => ({
    number: index + 1,
    from: index * partBytes,
    to: Math.min((index + 1) * partBytes, sizeBytes) - 1,
  }));
}

/**
 * Copies in parts, a few at a time. What an earlier attempt copied is not copied again; the upload is written down before
 * its first part. It is aborted where going on is of no use (the source changed, a right is missing) and left for the
 * next attempt where S3 is only busy or away.
 */
export async function copyInParts(ask: Ask, request: CopyRequest, facts: CopyFacts): Promise<Written> {
  const { destination, journal } = request;
  const target: Target = { Bucket: destination.bucket, Key: destination.key };
  const { sizeBytes } = facts.head;
  const partBytes = Math.max(facts.copyPartBytes ?? COPY_PART_BYTES, Math.ceil(sizeBytes / MAX_PARTS));
  const parts = partsOf(sizeBytes, partBytes);
  const begun = await journal?.find();
  const done = begun === undefined ? undefined : await partsDone(ask, target, begun, parts);
  const uploadId =
    begun !== undefined && done !== undefined ? begun : await begin(ask, target, request, facts);
  try {
    const copied = await copyMissing(ask, request, { target, uploadId, parts, done: done ?? new Map() });
    return await complete(ask, request, { target, uploadId, parts: copied });
  } catch (error) {
    const isLasting = error instanceof StorageError && !error.retryable;
    // Without a journal nobody would find it again.
    if (isLasting || journal === undefined) {
      await abortUpload(ask, target, uploadId);
      await journal?.ended(uploadId);
    }
    throw isLasting && error.s3Code === 'NoSuchUpload' ? abortedByOthers(error) : error;
  }
}

/** Nothing is wrong with the object: the next attempt begins anew. */
const abortedByOthers = (cause: StorageError): StorageError =>
  new StorageError('unreachable', 'NoSuchUpload', 'somebody aborted the copy that was under way', {
    cause,
    reason: 'upload_gone',
  });

/** What is left of a broken upload is billed until it is aborted. One that is gone already is no error. */
export async function abortUpload(ask: Ask, target: Target, UploadId: string): Promise<void> {
  try {
    await ask('AbortMultipartUpload', (s3) =>
      s3.send(new AbortMultipartUploadCommand({ ...target, UploadId })),
    );
  } catch (error) {
    if (error instanceof StorageError && error.outcome === 'gone') return;
    throw error;
  }
}

/**
 * Begins an upload of nothing, for whoever wants to know whether it is allowed; to be aborted.
 *
 * @returns its id
 */
export async function beginUpload(ask: Ask, target: Target): Promise<string> {
  const { UploadId } = await ask('CreateMultipartUpload', (s3) =>
    s3.send(new CreateMultipartUploadCommand(target)),
  );
  if (UploadId === undefined) throw new StorageError('other', 'EmptyAnswer', 'the upload was not named');
  return UploadId;
}

/** Looks for what a killed copy leaves behind: the uploads of a key, and the parts of one. */
export const lookAtUploads = {
  ofKey: (ask: Ask, { Bucket, Key }: Target): Promise<unknown> =>
    ask('ListMultipartUploads', (s3) =>
      s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: Key, MaxUploads: 1 })),
    ),
  parts: (ask: Ask, target: Target, UploadId: string): Promise<unknown> =>
    ask('ListParts', (s3) => s3.send(new ListPartsCommand({ ...target, UploadId, MaxParts: 1 }))),
};

async function begin(ask: Ask, target: Target, request: CopyRequest, facts: CopyFacts): Promise<string> {
  const { journal } = request;
  if (journal?.ownsKey === true) await abortStrays(ask, target);
  const { UploadId } = await ask('CreateMultipartUpload', (s3) =>
    s3.send(
      new CreateMultipartUploadCommand({
        ...target,
        ...repeated(facts.head),
        ...atRest(request),
        Metadata: { ...(request.metadata ?? facts.head.metadata) },
        Tagging: new URLSearchParams(facts.tags).toString(),
      }),
    ),
  );
  if (UploadId === undefined) throw new StorageError('other', 'EmptyAnswer', 'the upload was not named');
  await journal?.began(UploadId);
  return UploadId;
}

/** An attempt that was killed between S3's answer and its own note left an upload that nobody knows by its id. */
async function abortStrays(ask: Ask, target: Target): Promise<void> {
  const { Bucket, Key } = target;
  const { Uploads } = await ask('ListMultipartUploads', (s3) =>
    s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: Key, MaxUploads: MAX_STRAYS })),
  ).catch((error: unknown) => {
    // Not allowed to look, or a server that cannot: they stay until the bucket's life cycle takes them.
    if (error instanceof StorageError && !error.retryable) return { Uploads: [] };
    throw error;
  });
  for (const upload of Uploads ?? []) {
    if (upload.Key === Key && upload.UploadId !== undefined) await abortUpload(ask, target, upload.UploadId);
  }
}

/** By number what is there and as long as it must be; `undefined` when there is no such upload any more. */
async function partsDone(
  ask: Ask,
  target: Target,
  UploadId: string,
  parts: readonly PartRange[],
): Promise<ReadonlyMap<number, DonePart> | undefined> {
  const done = new Map<number, DonePart>();
  let PartNumberMarker: string | undefined;
  try {
    for (;;) {
      const page: ListPartsCommandOutput = await ask('ListParts', (s3) =>
        s3.send(new ListPartsCommand({ ...target, UploadId, PartNumberMarker })),
      );
      for (const { PartNumber, ETag, Size } of page.Parts ?? []) {
        const range = parts[(PartNumber ?? 0) - 1];
        if (PartNumber === undefined || ETag === undefined || range === undefined) continue;
        if (Size === range.to - range.from + 1) done.set(PartNumber, { PartNumber, ETag });
      }
      const next = page.NextPartNumberMarker;
      if (page.IsTruncated !== true || next === undefined || next === PartNumberMarker) return done;
      PartNumberMarker = next;
    }
  } catch (error) {
    if (error instanceof StorageError && error.outcome === 'gone') return undefined;
    throw error;
  }
}

interface Progress {
  readonly target: Target;
  readonly uploadId: string;
  readonly parts: readonly PartRange[];
  readonly done: ReadonlyMap<number, DonePart>;
}

async function copyMissing(
  ask: Ask,
  { source }: CopyRequest,
  { target, uploadId, parts, done }: Progress,
): Promise<DonePart[]> {
  const all = new Map(done);
  const missing = parts.filter(({ number }) => !done.has(number));
  let failure: unknown;
  const lane = async () => {
    // One that failed stops the others after what they have in hand.
    for (let part = missing.shift(); part !== undefined && failure === undefined; part = missing.shift()) {
      const { number, from, to } = part;
      try {
        all.set(number, await copyPart(number, `bytes=${from}-${to}`));
      } catch (error) {
        failure ??= error;
      }
    }
  };
  const copyPart = async (PartNumber: number, CopySourceRange: string): Promise<DonePart> => {
    const { CopyPartResult } = await ask('UploadPartCopy', (s3) =>
      s3.send(
        new UploadPartCopyCommand({
          ...target,
          UploadId: uploadId,
          PartNumber,
          CopySource: copySource(source),
          CopySourceIfMatch: `"${source.eTag}"`,
          CopySourceRange,
        }),
        { requestTimeout: COPY_TIMEOUT_MS },
      ),
    );
    if (CopyPartResult?.ETag === undefined)
      throw new StorageError('other', 'EmptyAnswer', 'the part was not named');
    return { PartNumber, ETag: CopyPartResult.ETag };
  };
  await Promise.all(Array.from({ length: PARTS_AT_ONCE }, lane));
  if (failure !== undefined) throw failure as Error;
  return [...all.values()].toSorted((a, b) => a.PartNumber - b.PartNumber);
}

async function complete(
  ask: Ask,
  request: CopyRequest,
  { target, uploadId, parts }: { target: Target; uploadId: string; parts: DonePart[] },
): Promise<Written> {
  const answer = await ask('CompleteMultipartUpload', (s3) =>
    s3.send(
      new CompleteMultipartUploadCommand({
        ...target,
        UploadId: uploadId,
        MultipartUpload: { Parts: parts },
        ...(request.mustBeNew === true && { IfNoneMatch: '*' }),
      }),
      { requestTimeout: COPY_TIMEOUT_MS },
    ),
  );
  if (answer.ETag === undefined)
    throw new StorageError('other', 'EmptyAnswer', 'COMPLETE did not name the object');
  return { eTag: answer.ETag.replaceAll('"', ''), versionId: answer.VersionId };
}
