import { checkRead, matchesEtag, parseRange } from './conditions.js';
import type { ByteRange } from './conditions.js';
import { findVersion, readVersionId, versionIdHeader } from './find-version.js';
import { headerText, httpDate } from './message.js';
import type { Context, Handler, S3Request, S3Response } from './message.js';
import type { ObjectVersion } from './model.js';
import type { RequestHeaders } from './request-headers.js';
import { invalidArgument, invalidRequest, S3Error } from './s3-error.js';
import { versionHeaders } from './write-headers.js';

const OVERRIDABLE = [
  'content-type',
  'content-language',
  'expires',
  'cache-control',
  'content-disposition',
  'content-encoding',
];

export const getObject: Handler = async (request, context) => read(request, context);

/** The server leaves the body away. */
export const headObject: Handler = async (request, context) => read(request, context);

function read({ bucket, key, query, headers }: S3Request, { store }: Context): S3Response {
  const { versioning } = store.bucket(bucket);
  const version = findVersion(
    store.catalog.versions(bucket, key),
    key,
    readVersionId(query.get('versionId')),
  );
  const identity = {
    ...versionIdHeader(versioning, version.id),
    etag: `"${version.etag}"`,
    'last-modified': httpDate(version.modifiedAt),
  };
  if (checkRead(headers, version) === 'not-modified') return { status: 304, headers: identity };
  const part = readPart(query.get('partNumber'), headers, version);
  const range = part?.range ?? parseRange(rangeHeader(headers, version), version.size);
  const { start, end } = range ?? { start: 0, end: version.size };
  // Claimed before anything is awaited, so that a delete meanwhile does not take the files away.
  store.blobs.retain(version.slices);
  const withChecksum = headers.get('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED' && range === undefined;
  return {
    status: range === undefined ? 200 : 206,
    headers: {
      ...versionHeaders(version, withChecksum),
      ...overrides(query),
      ...identity,
      'accept-ranges': 'bytes',
      'content-range': range && `bytes ${start}-${end - 1}/${version.size}`,
      'x-amz-mp-parts-count': part && version.partSizes && String(version.partSizes.length),
    },
    body: {
      length: end - start,
      stream: () => store.blobs.read(version.slices, start, end),
      dispose: () => store.blobs.release(version.slices),
    },
  };
}

/** If-Range: the range counts only for the version that the client has begun with. */
function rangeHeader(headers: RequestHeaders, version: ObjectVersion): string | undefined {
  const ifRange = headers.get('if-range');
  const isSame =
    ifRange === undefined ||
    (ifRange.startsWith('"') ? matchesEtag(ifRange, version.etag) : ifRange === httpDate(version.modifiedAt));
  return isSame ? headers.get('range') : undefined;
}

/** The bytes of one part of an object that was made of parts; any other object is its own part 1. */
function readPart(
  value: string | undefined,
  headers: RequestHeaders,
  version: ObjectVersion,
): { readonly range: ByteRange | undefined } | undefined {
  if (value === undefined) return undefined;
  if (headers.get('range') !== undefined)
    throw invalidRequest('Cannot specify both Range header and partNumber query parameter');
  const number = /^\d{1,5}$/.test(value) ? Number(value) : 0;
  if (number < 1 || number > 10_000) {
    throw invalidArgument(
      'partNumber',
      value,
      'Part number must be an integer between 1 and 10000, inclusive',
    );
  }
  const sizes = version.partSizes ?? [version.size];
  const size = sizes[number - 1];
  if (size === undefined) {
    throw new S3Error('InvalidPartNumber', 416, 'The requested partnumber is not satisfiable', {
      elements: { PartNumberRequested: value, ActualPartCount: String(sizes.length) },
    });
  }
  const start = sizes.slice(0, number - 1).reduce((sum, each) => sum + each, 0);
  return { range: size === 0 ? undefined : { start, end: start + size } };
}

function overrides(query: ReadonlyMap<string, string>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of OVERRIDABLE) {
    const value = query.get(`response-${name}`);
    if (value === undefined) continue;
    // A header must not hold them, and above all no line break.
    if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) {
      throw invalidArgument(`response-${name}`, value, 'A header value must not hold control characters.');
    }
    headers[name] = headerText(value);
  }
  return headers;
}
