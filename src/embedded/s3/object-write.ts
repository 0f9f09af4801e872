import { writeGuard } from './conditions.js';
import { versionIdHeader } from './find-version.js';
import { MAX_OBJECT_BYTES } from './message.js';
import type { Context, Handler, S3Request } from './message.js';
import type { Slice } from './blobs.js';
import type { ChecksumAlgorithm } from './checksums.js';
import type { Received } from './request-body.js';
import { S3Error } from './s3-error.js';
import { parseTagHeader } from './tags.js';
import { checksumHeaders, contentHeaders, userMetadata } from './write-headers.js';

export const putObject: Handler = async (request, context) => {
  const { bucket, key, headers, origin } = request;
  const { store } = context;
  store.bucket(bucket);
  const kept = {
    headers: contentHeaders(headers),
    metadata: userMetadata(headers),
    tags: parseTagHeader(headers.get('x-amz-tagging')),
  };
  const guard = writeGuard(headers, key);
  // Asked again, alone with the key, once the body is here; this time it only saves the transfer.
  guard(store.catalog.current(bucket, key));
  const stored = await storeBody(request, context, undefined, async ({ received, slices }) => {
    const { size, md5, checksum } = received;
    const version = { ...kept, size, etag: md5, slices, ...(checksum && { checksum }) };
    return store.putVersion(bucket, key, version, guard, { name: 'ObjectCreated:Put', origin });
  });
  return {
    status: 200,
    headers: {
      etag: `"${stored.version.etag}"`,
      ...versionIdHeader(stored.versioning, stored.version.id),
      ...checksumHeaders(stored.version.checksum),
    },
  };
};

/**
 * Takes a body to disk and hands it to `commit`. When either refuses, the file is removed again;
 * after a failure of the disk it stays for the next opening, which knows what the journal says.
 */
export async function storeBody<T>(
  { body }: S3Request,
  { store }: Context,
  algorithm: ChecksumAlgorithm | undefined,
  commit: (stored: { readonly received: Received; readonly slices: readonly Slice[] }) => Promise<T>,
): Promise<T> {
  const { received, result: slice } = await body.stream(MAX_OBJECT_BYTES, algorithm, (bytes) =>
    store.blobs.write(bytes),
  );
  try {
    return await commit({ received, slices: slice === undefined ? [] : [slice] });
  } catch (error) {
    if (error instanceof S3Error) store.blobs.discard(slice);
    throw error;
  }
}
