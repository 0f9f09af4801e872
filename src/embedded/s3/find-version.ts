import { httpDate } from './message.js';
import type { ObjectVersion, Versioning } from './model.js';
import { invalidArgument, noSuchKey, noSuchVersion, S3Error } from './s3-error.js';

/** The versionId parameter, `undefined` when absent. Throws for what can be no version's id. */
export function readVersionId(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (/^([0-9a-f]{32}|null)$/.test(value)) return value;
  throw invalidArgument('versionId', value, 'Invalid version id specified');
}

/** The version that a request is about; a delete marker is answered as S3 answers it. */
export function findVersion(
  versions: readonly ObjectVersion[],
  key: string,
  versionId: string | undefined,
): ObjectVersion {
  if (versionId !== undefined) {
    const found = versions.find((each) => each.id === versionId);
    if (found === undefined) throw noSuchVersion(key, versionId);
    if (found.isDeleteMarker) throw isMarker(found);
    return found;
  }
  const [newest] = versions;
  if (newest === undefined) throw noSuchKey(key);
  if (newest.isDeleteMarker) {
    throw noSuchKey(key, { 'x-amz-delete-marker': 'true', 'x-amz-version-id': newest.id });
  }
  return newest;
}

/** The header that names a version, absent in buckets that never had versioning. */
export const versionIdHeader = (
  versioning: Versioning,
  id: string | undefined,
): Record<string, string | undefined> => ({
  'x-amz-version-id': versioning === '' ? undefined : id,
});

const isMarker = (marker: ObjectVersion): S3Error =>
  new S3Error('MethodNotAllowed', 405, 'The specified method is not allowed against this resource.', {
    elements: { ResourceType: 'DeleteMarker' },
    headers: {
      allow: 'DELETE',
      'x-amz-delete-marker': 'true',
      'x-amz-version-id': marker.id,
      'last-modified': httpDate(marker.modifiedAt),
    },
  });
