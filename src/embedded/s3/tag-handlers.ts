import { findVersion, readVersionId, versionIdHeader } from './find-version.js';
import { xmlResponse } from './message.js';
import type { Context, Handler, S3Request, S3Response } from './message.js';
import type { Tags } from './model.js';
import { parseTagXml, tagSet } from './tags.js';

// Ten tags of 128 and 256 characters, escaped, fit many times over.
const MAX_TAGGING_BYTES = 64 * 1024;

export const getTags: Handler = async ({ bucket, key, query }, { store }) => {
  const { versioning } = store.bucket(bucket);
  const version = findVersion(
    store.catalog.versions(bucket, key),
    key,
    readVersionId(query.get('versionId')),
  );
  return xmlResponse('Tagging', tagSet(version.tags), versionIdHeader(versioning, version.id));
};

export const putTags: Handler = async (request, context) => {
  context.store.bucket(request.bucket);
  return replaceTags(request, context, parseTagXml(await request.body.bytes(MAX_TAGGING_BYTES)), 200);
};

export const deleteTags: Handler = async (request, context) => replaceTags(request, context, [], 204);

async function replaceTags(
  { bucket, key, query }: S3Request,
  { store }: Context,
  tags: Tags,
  status: number,
): Promise<S3Response> {
  const versionId = readVersionId(query.get('versionId'));
  const find = (versions: Parameters<typeof findVersion>[0]) => findVersion(versions, key, versionId);
  const { version, versioning } = await store.setTags(bucket, key, find, tags);
  return { status, headers: versionIdHeader(versioning, version.id) };
}
