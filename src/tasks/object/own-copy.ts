import type { Queryable } from '../../database/queryable.js';
import type { ObjectHead, PinnedObject } from '../../s3/object-storage.js';
import { readQuarantined } from './sql/quarantined-objects.js';

const SCAN_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Whether the object is a copy that a move of ours wrote: its bucket is our quarantine under another name (an access
 * point, a second endpoint of the same server). Its metadata names the scan; anybody can write that, so only the row of
 * that scan is believed, and only for the key, ETag and version that it has.
 */
export async function isQuarantinedCopy(
  db: Queryable,
  object: PinnedObject,
  { metadata }: Pick<ObjectHead, 'metadata'>,
): Promise<boolean> {
  const scanId = metadata['sallyport-scan-id'];
  if (scanId === undefined || !SCAN_ID.test(scanId)) return false;
  const row = await readQuarantined(db, scanId);
  return (
    row?.copy !== undefined &&
    row.place.key === object.key &&
    row.copy.eTag === object.eTag &&
    row.copy.versionId === object.versionId
  );
}
