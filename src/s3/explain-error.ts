import { RETRY_AFTER } from './answer-limits.js';
import { asSentence } from './as-sentence.js';
import { StorageError, TagsFull, type StorageOutcome } from './storage-error.js';

/** What was asked of S3 when it refused. */
export interface AskedFor {
  /** The SDK's command without its ending, as `GetObject`. */
  readonly operation: string;
  /** It named a version; S3 has rights of their own for that. */
  readonly ofVersion: boolean;
}

interface SdkError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string;
  readonly Code?: string;
  readonly Region?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

/** What is read out of an error before it is judged. */
interface Facts {
  readonly s3Code: string;
  readonly status: number | undefined;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly region: string | undefined;
  readonly asked: AskedFor;
}

interface Told {
  readonly outcome: StorageOutcome;
  readonly reason: string;
  readonly hint?: string | undefined;
  readonly permission?: string | undefined;
}

const told = (outcome: StorageOutcome, reason: string, hint?: string, permission?: string): Told => ({
  outcome,
  reason,
  hint,
  permission,
});

// What S3's own words may take of a note.
const MAX_DETAIL = 500;
const MAX_RETRY_AFTER_SECONDS = 300;

const BUSY = new Set([
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequests',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'BandwidthLimitExceeded',
  'ServiceUnavailable',
]);
const BROKEN = new Set(['InternalError', 'RequestTimeout', 'OperationAborted']);
const CREDENTIALS = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'InvalidToken',
  'InvalidSecurity',
  'TokenRefreshRequired',
  'RequestTimeTooSkewed',
  'CredentialsProviderError',
]);
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  // A name that led to an address that may not be called.
  'EGRESS_REFUSED',
  'ERR_STREAM_PREMATURE_CLOSE',
  // Node's parser met bytes behind the answer's end, or no HTTP at all.
  'HPE_INVALID_CONSTANT',
  'HPE_INVALID_HEADER_TOKEN',
  'HPE_UNEXPECTED_CONTENT_LENGTH',
]);

/** The rights that an operation needs, without and with a version. */
const PERMISSIONS: Readonly<Record<string, readonly [string, string]>> = {
  HeadObject: ['s3:GetObject', 's3:GetObjectVersion'],
  GetObject: ['s3:GetObject', 's3:GetObjectVersion'],
  GetObjectTagging: ['s3:GetObjectTagging', 's3:GetObjectVersionTagging'],
  PutObjectTagging: ['s3:PutObjectTagging', 's3:PutObjectVersionTagging'],
  DeleteObject: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
  PutObject: ['s3:PutObject', 's3:PutObject'],
  CopyObject: ['s3:PutObject', 's3:PutObject'],
  CreateMultipartUpload: ['s3:PutObject', 's3:PutObject'],
  UploadPartCopy: ['s3:PutObject', 's3:PutObject'],
  CompleteMultipartUpload: ['s3:PutObject', 's3:PutObject'],
  AbortMultipartUpload: ['s3:AbortMultipartUpload', 's3:AbortMultipartUpload'],
  ListParts: ['s3:ListMultipartUploadParts', 's3:ListMultipartUploadParts'],
  ListMultipartUploads: ['s3:ListBucketMultipartUploads', 's3:ListBucketMultipartUploads'],
  ListObjectsV2: ['s3:ListBucket', 's3:ListBucket'],
  ListObjectVersions: ['s3:ListBucketVersions', 's3:ListBucketVersions'],
  RestoreObject: ['s3:RestoreObject', 's3:RestoreObject'],
  HeadBucket: ['s3:ListBucket', 's3:ListBucket'],
  GetBucketVersioning: ['s3:GetBucketVersioning', 's3:GetBucketVersioning'],
  GetBucketNotificationConfiguration: ['s3:GetBucketNotification', 's3:GetBucketNotification'],
  PutBucketNotificationConfiguration: ['s3:PutBucketNotification', 's3:PutBucketNotification'],
  GetBucketPolicy: ['s3:GetBucketPolicy', 's3:GetBucketPolicy'],
  GetBucketEncryption: ['s3:GetEncryptionConfiguration', 's3:GetEncryptionConfiguration'],
};

/**
 * Names what happened, in the ledger's words. An abort of our own and what was explained before pass through unchanged.
 * Pure.
 */
export function asStorageError(error: unknown, asked: AskedFor): Error {
  if (error instanceof StorageError || error instanceof TagsFull) return error;
  const seen = (typeof error === 'object' && error !== null ? error : {}) as SdkError;
  if (seen.name === 'AbortError') return error as Error;
  const facts = factsOf(seen, asked);
  const { outcome, reason, hint, permission } = explain(facts, seen);
  const detail = hint === undefined ? facts.message : `${asSentence(facts.message)} ${hint}`.trimStart();
  return new StorageError(outcome, facts.s3Code, detail, {
    cause: error,
    reason,
    permission,
    retryAfterSeconds: retryAfterOf(facts.headers),
  });
}

function factsOf(seen: SdkError, asked: AskedFor): Facts {
  const status = seen.$metadata?.httpStatusCode;
  const named = seen.Code ?? (seen.name === 'Error' ? seen.code : seen.name);
  // A HEAD has no body to name its error in, and neither has a proxy's page.
  const isNamed = named !== undefined && named !== 'Unknown' && named !== 'UnknownError';
  const s3Code = isNamed ? named : (STATUS_NAMES[status ?? 0] ?? `Status${status ?? 'None'}`);
  const headers = seen.$response?.headers ?? {};
  // Of a body that was no XML the SDK tells only that.
  const isParsed = status === undefined || seen.name !== 'Error' || seen.Code !== undefined;
  const message = isParsed ? (seen.message ?? '') : '';
  return {
    s3Code,
    status,
    message: message === '' || message === 'UnknownError' ? '' : message.slice(0, MAX_DETAIL).toWellFormed(),
    headers,
    region: seen.Region ?? headers['x-amz-bucket-region'],
    asked,
  };
}

const STATUS_NAMES: Readonly<Record<number, string>> = {
  301: 'PermanentRedirect',
  304: 'NotModified',
  307: 'TemporaryRedirect',
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  412: 'PreconditionFailed',
  429: 'TooManyRequests',
  500: 'InternalError',
  501: 'NotImplemented',
  502: 'BadGateway',
  503: 'ServiceUnavailable',
  504: 'GatewayTimeout',
};

function explain(facts: Facts, seen: SdkError): Told {
  return (
    unanswered(facts, seen) ??
    keyManagement(facts) ??
    elsewhere(facts) ??
    absent(facts) ??
    busy(facts) ??
    refused(facts) ??
    told('other', 'request_refused')
  );
}

function unanswered({ s3Code, status }: Facts, seen: SdkError): Told | undefined {
  if (CREDENTIALS.has(s3Code)) {
    return told(
      'credentials',
      'credentials_rejected',
      "Check the bucket's credentials and this machine's clock.",
    );
  }
  if (status !== undefined && !(seen.name === 'Error' && seen.Code === undefined)) return undefined;
  if (UNREACHABLE.has(seen.code ?? '') || seen.name === 'TimeoutError')
    return told('unreachable', 'unreachable');
  // The status is there, the body was nothing that S3 would write.
  if (status === undefined) return undefined;
  if (status >= 500 || status === 429) return told('throttled', 'server_error');
  if (status === 404 || status === 403 || status === 412 || status === 405) return undefined;
  return told('other', 'bad_answer', 'The answer is not S3’s. Does S3_ENDPOINT lead to an S3 server?');
}

function keyManagement({ s3Code, message, asked }: Facts): Told | undefined {
  if (/^KMS\..*Throttl/.test(s3Code) || s3Code === 'KMS.LimitExceededException')
    return told('throttled', 'kms_throttled', 'Raise the quota of requests to KMS.');
  if (s3Code === 'KMS.DisabledException')
    return told('denied', 'kms_key_disabled', 'Enable the KMS key that the object is encrypted with.');
  if (s3Code === 'KMS.NotFoundException')
    return told(
      'denied',
      'kms_key_not_found',
      'The KMS key that the object is encrypted with does not exist.',
    );
  if (/^KMS\..*InvalidState/.test(s3Code) || s3Code === 'KMS.InvalidKeyUsageException')
    return told(
      'denied',
      'kms_key_unusable',
      'The KMS key is about to be deleted, or of no use for this object.',
    );
  const needed = /^(?:HeadObject|GetObject)$/.test(asked.operation) ? 'kms:Decrypt' : 'kms:GenerateDataKey';
  const right = /\b(kms:[A-Za-z]+)/.exec(message)?.[1];
  if (s3Code.startsWith('KMS.')) return deniedFor(right ?? needed);
  if (right !== undefined) return deniedFor(right);
  if (
    /InvalidRequest|InvalidArgument/.test(s3Code) &&
    /Server Side Encryption|SSE-C|customer.provided/i.test(message)
  )
    return told('denied', 'sse_c_key_needed', 'Only its uploader has the key (SSE-C): it cannot be scanned.');
  return undefined;
}

function elsewhere({ s3Code, status, region, message, asked }: Facts): Told | undefined {
  const isRedirect = status === 301 || status === 302 || status === 307 || status === 308;
  const isWrongRegion =
    isRedirect ||
    s3Code === 'IllegalLocationConstraintException' ||
    (s3Code === 'AuthorizationHeaderMalformed' && region !== undefined);
  if (isWrongRegion && region !== undefined && /^[a-z0-9-]{2,40}$/.test(region))
    return told('other', 'region_mismatch', `The bucket is in ${region}: set its region to that.`);
  if (isRedirect)
    return told('other', 'redirected', 'S3 points to another address, which is not followed: set S3_REGION.');
  // A HEAD is answered without a body, and so without the code.
  if (s3Code === 'NoSuchBucket' || (asked.operation === 'HeadBucket' && status === 404)) {
    const what = message === '' ? 'There is no bucket of this name. ' : '';
    return told('other', 'no_such_bucket', `${what}Check the bucket name and S3_ENDPOINT.`);
  }
  return undefined;
}

function absent({ s3Code, status, message, headers, asked }: Facts): Told | undefined {
  if (s3Code === 'InvalidObjectState') return told('archived', 'storage_class_archived');
  const isMarker = headers['x-amz-delete-marker'] === 'true';
  if (isMarker || s3Code === 'MethodNotAllowed' || status === 405) return told('gone', 'delete_marker');
  if (s3Code === 'NoSuchUpload') return told('gone', 'upload_gone');
  // A made-up version id is refused as no id at all.
  const isNoVersion =
    s3Code === 'NoSuchVersion' ||
    (s3Code === 'InvalidArgument' && asked.ofVersion && /version/i.test(message));
  if (isNoVersion) return told('gone', 'version_gone');
  if (s3Code === 'NoSuchKey' || s3Code === 'NotFound' || status === 404)
    return told('gone', asked.ofVersion && s3Code !== 'NoSuchKey' ? 'version_gone' : 'object_gone');
  if (s3Code === 'PreconditionFailed' || s3Code === 'ConditionalRequestConflict' || status === 412)
    return told('superseded', 'overwritten');
  return undefined;
}

function busy({ s3Code, status }: Facts): Told | undefined {
  if (BUSY.has(s3Code) || status === 429 || status === 503) return told('throttled', 'slow_down');
  if (s3Code === 'NotImplemented' || status === 501) return told('other', 'not_supported');
  if (BROKEN.has(s3Code) || (status !== undefined && status >= 500)) return told('throttled', 'server_error');
  return undefined;
}

function refused({ s3Code, status, message, asked }: Facts): Told | undefined {
  if (s3Code === 'InvalidTag') return told('other', 'tag_refused');
  if (status !== 403 && status !== 401) return undefined;
  if (/object lock|legal hold|WORM protected|retention/i.test(message))
    return told('denied', 'object_locked', 'Its retention or a legal hold forbids it.');
  if (/\bmfa\b|multi.?factor/i.test(message))
    return told('denied', 'mfa_delete_required', 'The bucket asks for a second factor to delete versions.');
  if (/requester.?pays/i.test(message))
    return told('denied', 'requester_pays', 'Requests are paid by who makes them: consent on the bucket.');
  const named = /\b(s3(?:express)?:[A-Za-z]+)/.exec(message)?.[1];
  const needed = PERMISSIONS[asked.operation]?.[asked.ofVersion ? 1 : 0];
  const right = named ?? needed;
  if (right === undefined) return told('denied', 'access_denied');
  return deniedFor(right, named === undefined);
}

const READS: readonly string[] = ['s3:GetObject', 's3:GetObjectVersion'];

function deniedFor(right: string, isGuess = false): Told {
  const reason = `denied_${snake(right)}`;
  const missing = isGuess
    ? `The call needs ${right} (S3 does not say what is missing).`
    : `Missing: ${right}.`;
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html: 403 instead of 404 without s3:ListBucket.
  const unless = READS.includes(right)
    ? ' Without s3:ListBucket S3 says this of keys that do not exist, too.'
    : '';
  return told('denied', reason, `${missing}${unless}`, right);
}

/** `s3:GetObjectVersion` → `get_object_version`, `kms:Decrypt` → `kms_decrypt`. */
const snake = (right: string): string =>
  right
    .replace(/^s3(?:express)?:/, '')
    .replace(/^kms:/, 'kms')
    .replaceAll(/(?<=[a-z0-9])([A-Z])/g, '_$1')
    .toLowerCase();

function retryAfterOf(headers: Readonly<Record<string, string>>): number | undefined {
  const seconds = Number(headers[RETRY_AFTER]);
  return Number.isInteger(seconds) && seconds > 0 ? Math.min(seconds, MAX_RETRY_AFTER_SECONDS) : undefined;
}
