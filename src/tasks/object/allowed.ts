import type { Database } from '../../database/database.js';
import type { Clock } from '../../clock.js';
import type { ObjectStorage, PinnedObject } from '../../s3/object-storage.js';
import { allowancesFor, type Allowance } from './sql/released-objects.js';

/**
 * The person's decision that lets exactly these bytes pass, if there is one. What the release wrote is known by its version;
 * everything else is read and compared by SHA-256, so that nobody slips in other bytes of the same name, size or ETag.
 */
export async function allowanceOf(
  parts: { readonly storage: ObjectStorage; readonly db: Database; readonly clock: Clock },
  object: PinnedObject,
  sizeBytes: number,
  signal?: AbortSignal,
): Promise<Allowance | undefined> {
  const candidates = await allowancesFor(parts.db, object, sizeBytes, parts.clock.now());
  const exact = candidates.find(({ isExact }) => isExact);
  if (exact !== undefined || candidates.length === 0) return exact;
  const sha256 = await parts.storage.digest(object, signal);
  return candidates.find((candidate) => candidate.sha256 === sha256);
}
