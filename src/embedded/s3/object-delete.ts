import { deleteGuard } from './conditions.js';
import { readVersionId, versionIdHeader } from './find-version.js';
import { xmlResponse } from './message.js';
import type { Context, Handler, S3Request } from './message.js';
import { childText, parseXml } from './parse-xml.js';
import type { XmlElement } from './parse-xml.js';
import { checkKey } from './keys.js';
import { invalidRequest, malformedXml, notImplemented, S3Error } from './s3-error.js';
import type { XmlContent } from './write-xml.js';

// A thousand keys of 1,024 bytes, with every byte escaped.
const MAX_DELETE_BYTES = 8 * 1024 * 1024;
const MAX_DELETES = 1000;

export const deleteObject: Handler = async ({ bucket, key, query, headers, origin }, { store }) => {
  const versionId = readVersionId(query.get('versionId'));
  if (headers.get('if-none-match') !== undefined) throw notImplemented('If-None-Match on a delete');
  const guard = deleteGuard(headers.get('if-match'), key);
  const { version, versioning } = await store.deleteObject(bucket, key, versionId, guard, origin);
  return {
    status: 204,
    headers: {
      ...versionIdHeader(versioning, version?.id ?? versionId),
      'x-amz-delete-marker': version?.isDeleteMarker === true ? 'true' : undefined,
    },
  };
};

interface Deletion {
  readonly key: string;
  readonly versionId: string | undefined;
  readonly etag: string | undefined;
}

/** DeleteObjects. Each key has its own outcome; all of them share few writes. */
export const deleteObjects: Handler = async (request, context) => {
  const { bucket, body } = request;
  context.store.bucket(bucket);
  if (!body.hasIntegrityHeader)
    throw invalidRequest('Missing required header for this request: Content-MD5 or x-amz-checksum-*');
  const { deletions, isQuiet } = readDeletions(parseXml(await body.bytes(MAX_DELETE_BYTES)));
  const outcomes = await Promise.all(deletions.map((deletion) => deleteOne(request, context, deletion)));
  const shown = outcomes.filter((outcome) => !isQuiet || outcome.isError);
  return xmlResponse(
    'DeleteResult',
    shown.map(({ element }) => element),
  );
};

function readDeletions(root: XmlElement): { deletions: Deletion[]; isQuiet: boolean } {
  if (root.name !== 'Delete') throw malformedXml('expected Delete.');
  const objects = root.children.filter((each) => each.name === 'Object');
  if (objects.length < 1 || objects.length > MAX_DELETES) throw malformedXml('expected 1 to 1000 objects.');
  const deletions = objects.map((object) => {
    const unknown = object.children.find(({ name }) => !['Key', 'VersionId', 'ETag'].includes(name));
    // LastModifiedTime and Size are conditions too; to pass over one would delete what was to be kept.
    if (unknown !== undefined) throw notImplemented(`${unknown.name} in DeleteObjects`);
    const key = childText(object, 'Key');
    if (key === undefined || key === '') throw malformedXml('an Object without Key.');
    return { key, versionId: childText(object, 'VersionId'), etag: childText(object, 'ETag') };
  });
  return { deletions, isQuiet: childText(root, 'Quiet')?.trim() === 'true' };
}

async function deleteOne(
  { bucket, origin }: S3Request,
  { store }: Context,
  { key, versionId, etag }: Deletion,
): Promise<{ element: XmlContent; isError: boolean }> {
  try {
    checkKey(key);
    const id = readVersionId(versionId === '' ? undefined : versionId);
    const { version } = await store.deleteObject(bucket, key, id, deleteGuard(etag, key), origin);
    const isMarker = version?.isDeleteMarker === true;
    const Deleted = {
      Key: key,
      VersionId: id,
      DeleteMarker: isMarker ? true : undefined,
      DeleteMarkerVersionId: isMarker ? version.id : undefined,
    };
    return { element: { Deleted }, isError: false };
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    const { code, message } = error;
    return {
      element: { Error: { Key: key, VersionId: versionId, Code: code, Message: message } },
      isError: true,
    };
  }
}
