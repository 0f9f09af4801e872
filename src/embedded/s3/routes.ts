import {
  createBucket,
  deleteBucket,
  getLocation,
  getVersioning,
  headBucket,
  listBuckets,
  putVersioning,
} from './bucket-handlers.js';
import { listObjects, listObjectsV1, listUploads, listVersions } from './list-handlers.js';
import { checkKey } from './keys.js';
import type { Handler } from './message.js';
import { copyObject } from './object-copy.js';
import { deleteObject, deleteObjects } from './object-delete.js';
import { getObject, headObject } from './object-read.js';
import { putObject } from './object-write.js';
import type { RequestHeaders } from './request-headers.js';
import { notImplemented, S3Error } from './s3-error.js';
import { deleteTags, getTags, putTags } from './tag-handlers.js';
import type { Target } from './uri.js';
import {
  abortUpload,
  completeUpload,
  createUpload,
  listParts,
  uploadPart,
  uploadPartCopy,
} from './upload-handlers.js';
import { checkKnownHeaders } from './write-headers.js';

type Level = 'service' | 'bucket' | 'object';

interface Route {
  readonly method: string;
  readonly level: Level;
  /** Query parameters that must be there for this route to be meant. */
  readonly markers: readonly string[];
  /** Query parameters that the handler acts on. Any other answers 501: silence would look like success. */
  readonly parameters: readonly string[];
  /** Whether the handler acts on If-Match and If-None-Match. */
  readonly isConditional: boolean;
  readonly handler: Handler;
  /** Only with the x-amz-copy-source header. */
  readonly isCopy: boolean;
}

interface RouteOptions {
  readonly parameters?: string;
  readonly isConditional?: boolean;
  readonly isCopy?: boolean;
}

const route = (
  method: string,
  level: Level,
  markers: string,
  handler: Handler,
  options: RouteOptions = {},
): Route => {
  const { parameters = '', isConditional = false, isCopy = false } = options;
  return {
    method,
    level,
    markers: words(markers),
    parameters: words(parameters),
    isConditional,
    isCopy,
    handler,
  };
};

const words = (text: string): string[] => text.split(' ').filter((word) => word !== '');

const READ = {
  parameters:
    'versionId partNumber response-content-type response-content-language response-expires response-cache-control response-content-disposition response-content-encoding',
  isConditional: true,
};
const LIST = 'prefix delimiter encoding-type';

/** Everything that the endpoint does. Among routes that fit, the one with most markers is meant. */
const ROUTES: readonly Route[] = [
  route('GET', 'service', '', listBuckets, {
    parameters: 'prefix max-buckets continuation-token bucket-region',
  }),
  route('PUT', 'bucket', '', createBucket),
  route('HEAD', 'bucket', '', headBucket),
  route('DELETE', 'bucket', '', deleteBucket),
  route('GET', 'bucket', 'location', getLocation),
  route('GET', 'bucket', 'versioning', getVersioning),
  route('PUT', 'bucket', 'versioning', putVersioning),
  route('GET', 'bucket', '', listObjectsV1, { parameters: `${LIST} marker max-keys` }),
  route('GET', 'bucket', 'list-type', listObjects, {
    parameters: `${LIST} max-keys continuation-token start-after fetch-owner`,
  }),
  route('GET', 'bucket', 'versions', listVersions, {
    parameters: `${LIST} max-keys key-marker version-id-marker`,
  }),
  route('GET', 'bucket', 'uploads', listUploads, {
    parameters: `${LIST} max-uploads key-marker upload-id-marker`,
  }),
  route('POST', 'bucket', 'delete', deleteObjects),
  route('GET', 'object', '', getObject, READ),
  route('HEAD', 'object', '', headObject, READ),
  route('PUT', 'object', '', putObject, { isConditional: true }),
  route('PUT', 'object', '', copyObject, { isConditional: true, isCopy: true }),
  route('DELETE', 'object', '', deleteObject, { parameters: 'versionId', isConditional: true }),
  route('GET', 'object', 'tagging', getTags, { parameters: 'versionId' }),
  route('PUT', 'object', 'tagging', putTags, { parameters: 'versionId' }),
  route('DELETE', 'object', 'tagging', deleteTags, { parameters: 'versionId' }),
  route('POST', 'object', 'uploads', createUpload),
  route('PUT', 'object', 'uploadId partNumber', uploadPart),
  route('PUT', 'object', 'uploadId partNumber', uploadPartCopy, { isCopy: true }),
  route('POST', 'object', 'uploadId', completeUpload, { isConditional: true }),
  route('DELETE', 'object', 'uploadId', abortUpload),
  route('GET', 'object', 'uploadId', listParts, { parameters: 'max-parts part-number-marker encoding-type' }),
];

/** The handler of a request. Throws 405 and 501 for what the endpoint does not do. */
export function findRoute(method: string, target: Target, headers: RequestHeaders): Handler {
  const level = target.key !== undefined ? 'object' : target.bucket !== undefined ? 'bucket' : 'service';
  const isCopy = headers.get('x-amz-copy-source') !== undefined;
  const { query } = target;
  const fitting = ROUTES.filter(
    (each) =>
      each.method === method &&
      each.level === level &&
      each.isCopy === isCopy &&
      each.markers.every((marker) => query.has(marker)),
  );
  const found = fitting.reduce<Route | undefined>(
    (best, each) => (best === undefined || each.markers.length > best.markers.length ? each : best),
    undefined,
  );
  if (found === undefined) throw refusal(method, level, query);
  for (const name of query.keys()) {
    const isKnown = found.markers.includes(name) || found.parameters.includes(name) || /^x-/i.test(name);
    if (!isKnown)
      throw notImplemented(
        `The query parameter ${name} in ${method} of ${level === 'object' ? 'an object' : `a ${level}`}`,
      );
  }
  checkKnownHeaders(headers);
  checkKey(target.key ?? '');
  const isConditional = headers.get('if-match') ?? headers.get('if-none-match');
  if (isConditional !== undefined && !found.isConditional && method !== 'GET' && method !== 'HEAD') {
    throw notImplemented('A condition on this operation');
  }
  return found.handler;
}

function refusal(method: string, level: Level, query: ReadonlyMap<string, string>): S3Error {
  if (method === 'OPTIONS')
    return new S3Error('AccessForbidden', 403, 'CORSResponse: CORS is not enabled for this bucket.');
  const named = [...query.keys()].filter((name) => !/^x-/i.test(name));
  if (named.length > 0) return notImplemented(`${method} with ${named.join(', ')}`);
  const allow = [
    ...new Set(
      ROUTES.filter((each) => each.level === level && each.markers.length === 0).map((each) => each.method),
    ),
  ];
  return new S3Error('MethodNotAllowed', 405, 'The specified method is not allowed against this resource.', {
    elements: { Method: method, ResourceType: level.toUpperCase() },
    headers: { allow: allow.join(', ') },
  });
}
