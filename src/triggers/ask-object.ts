import type { ObjectStorage } from '../s3/object-storage.js';
import { StorageError } from '../s3/storage-error.js';
import { detectType, TYPE_BYTES } from '../tasks/object/detect-type.js';
import { isVersioned } from '../verdicts/identity.js';
import type { Needs, Upload } from './match.js';

export type AskedUpload = Upload & { readonly endpointId: string };

/** An upload with what its object told, and what it did not tell. */
export interface Answer<T extends Upload = AskedUpload> {
  readonly upload: T & { readonly isInspected: true };
  /** Sentences; what they speak of stays unknown, and is decided in doubt. */
  readonly problems: readonly string[];
}

/**
 * Asks an object for what the rules need: its size, its type from the first bytes, its tags. What the object refuses
 * for good (gone, denied, archived, overwritten) stays unknown.
 *
 * @throws StorageError where it is worth asking again.
 */
export async function askObject<T extends AskedUpload>(
  storage: Pick<ObjectStorage, 'head' | 'peek' | 'readTags'>,
  upload: T,
  needs: Needs,
  signal?: AbortSignal,
): Promise<Answer<T>> {
  const problems: string[] = [];
  const { endpointId, bucket, key, versionId } = upload;
  const ref = { endpointId, bucket, key, ...(versionId !== undefined && { versionId }) };
  const pin = isVersioned(upload) ? {} : { eTag: upload.eTag };
  const head = await orUnknown('size', problems, () => storage.head({ ...ref, ...pin }, signal));
  const object = head && { ...ref, versionId: versionId ?? head.versionId, eTag: head.eTag };
  let contentType: string | undefined;
  if (needs.type && object !== undefined) {
    if (head?.isArchived === true)
      problems.push('type: the object is in an archive and must be restored first');
    else {
      const start = await orUnknown('type', problems, () => storage.peek(object, TYPE_BYTES, signal));
      contentType = start && (await detectType(start));
    }
  }
  const tags =
    needs.tags && object !== undefined
      ? await orUnknown('tags', problems, () => storage.readTags(object))
      : undefined;
  return {
    upload: {
      ...upload,
      sizeBytes: head?.sizeBytes ?? upload.sizeBytes,
      ...(contentType !== undefined && { contentType }),
      ...(tags !== undefined && { tags }),
      isInspected: true,
    },
    problems,
  };
}

async function orUnknown<T>(what: string, problems: string[], ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof StorageError) || error.retryable) throw error;
    problems.push(`${what}: ${error.message}`);
    return undefined;
  }
}
