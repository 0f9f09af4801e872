import { AppError } from '../errors.js';

/**
 * Why S3 did not do what was asked, as far as the ledger cares.
 *
 * - `gone`: no such key or version, or a delete marker.
 * - `denied`: not allowed, or the key management service refused; also SSE-C, which nobody but the uploader can read.
 * - `archived`: in a storage class that must be restored first.
 * - `superseded`: another object stands where the pinned one was.
 * - `throttled`: busy; the same call may succeed later.
 * - `unreachable`: no answer at all, or it broke off.
 * - `other`: an answer that we have no word for; `detail` holds S3's.
 */
export type StorageOutcome =
  'gone' | 'denied' | 'archived' | 'superseded' | 'throttled' | 'unreachable' | 'other';

/** What S3 said, told in our words; `detail` is safe to show. */
export class StorageError extends AppError {
  readonly code = 'STORAGE';
  readonly status = 502;
  override readonly retryable: boolean;

  constructor(
    readonly outcome: StorageOutcome,
    /** S3's own error code, as `NoSuchKey`. */
    readonly s3Code: string,
    readonly detail: string,
    options?: ErrorOptions,
  ) {
    super(`S3 answered ${s3Code}: ${detail}`, options);
    this.retryable = outcome === 'throttled' || outcome === 'unreachable';
  }
}

/** The object already carries ten tags; ours does not fit without dropping one of the user's. */
export class TagsFull extends AppError {
  readonly code = 'TAGS_FULL';
  readonly status = 409;
  constructor(readonly present: number) {
    super(
      `The object carries ${present} tags already and S3 allows 10. Remove one of them, or read the verdict from the ledger.`,
    );
  }
}

const GONE = new Set(['NoSuchKey', 'NoSuchVersion', 'NotFound', 'MethodNotAllowed']);
const THROTTLED = new Set([
  'SlowDown',
  'ThrottlingException',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'InternalError',
  'ServiceUnavailable',
  'RequestTimeout',
  'KMS.ThrottlingException',
]);
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

interface SdkError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string;
  readonly Code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Names what happened. An abort of our own and a StorageError pass through unchanged. */
export function asStorageError(error: unknown): Error {
  if (error instanceof StorageError || error instanceof TagsFull) return error;
  const seen = (typeof error === 'object' && error !== null ? error : {}) as SdkError;
  if (seen.name === 'AbortError') return error as Error;
  const status = seen.$metadata?.httpStatusCode;
  const s3Code = seen.Code ?? (seen.name === 'Error' ? seen.code : seen.name) ?? 'Unknown';
  const detail =
    seen.message === undefined || seen.message === '' ? `status ${status ?? 'none'}` : seen.message;
  const say = (outcome: StorageOutcome, more = '') =>
    new StorageError(outcome, s3Code, `${detail}${more}`, { cause: error });

  if (s3Code === 'NoSuchBucket') return say('other', ' Check the bucket name and S3_ENDPOINT.');
  if (s3Code === 'InvalidObjectState') return say('archived');
  if (GONE.has(s3Code) || status === 404 || status === 405) return say('gone');
  if (s3Code === 'PreconditionFailed' || s3Code === 'ConditionalRequestConflict' || status === 412) {
    return say('superseded');
  }
  if (THROTTLED.has(s3Code) || status === 429 || (status !== undefined && status >= 500))
    return say('throttled');
  if (s3Code.startsWith('KMS.')) return say('denied', ' The key management service refused to decrypt.');
  if (status === 403 || status === 401) return say('denied');
  if (s3Code === 'InvalidRequest' && /encrypt/i.test(detail)) {
    return say('denied', ' The object is encrypted with a key that only its uploader has (SSE-C).');
  }
  if (status === 301 || status === 307)
    return say('other', ' The bucket is in another region: set S3_REGION.');
  if (status === undefined && (UNREACHABLE.has(seen.code ?? '') || seen.name === 'TimeoutError')) {
    return say('unreachable');
  }
  return say('other');
}
