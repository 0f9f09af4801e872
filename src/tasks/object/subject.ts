import { TerminalError } from '../../engine/ports.js';
import { NotFound } from '../../errors.js';
import type { Buckets, BucketPolicy } from '../../s3/buckets.js';
import type { ObjectHead, ObjectStorage, PinnedObject } from '../../s3/object-storage.js';
import type { Ledger, ScanContext } from '../../verdicts/ledger.js';

/** The scan that a task is about. @throws TerminalError for an id that the ledger does not know */
export async function scanOf(ledger: Ledger, scanId: string): Promise<ScanContext> {
  try {
    return await ledger.scan(scanId);
  } catch (error) {
    if (error instanceof NotFound) throw new TerminalError(error.message, { cause: error });
    throw error;
  }
}

/** The bucket's policy. @throws TerminalError when the bucket is not registered (any more) */
export function policyOf(buckets: Buckets, { ref }: ScanContext): BucketPolicy {
  const policy = buckets.find(ref.endpointId, ref.bucket);
  if (policy === undefined) {
    throw new TerminalError(`The bucket ${ref.bucket} is not registered; register it first.`);
  }
  return policy;
}

/**
 * The scanned object, held fast, and its HEAD: the version that the scan names, or the current one when its ETag is
 * still what inspect saw. @throws StorageError
 */
export async function currentOf(
  storage: ObjectStorage,
  scan: ScanContext,
): Promise<{ object: PinnedObject; head: ObjectHead }> {
  const head = await storage.head({ ...scan.ref, eTag: scan.facts?.eTag });
  return { object: { ...scan.ref, versionId: scan.ref.versionId ?? head.versionId, eTag: head.eTag }, head };
}
