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
 * - `credentials`: S3 does not know who asks. It says nothing about the object, so it is no verdict on it.
 * - `other`: an answer that waiting does not mend, as another region's; `detail` holds S3's words.
 */
export type StorageOutcome =
  'gone' | 'denied' | 'archived' | 'superseded' | 'throttled' | 'unreachable' | 'credentials' | 'other';

interface StorageErrorOptions extends ErrorOptions {
  /** Stable code for the ledger; docs/operating.md has the table. */
  readonly reason?: string | undefined;
  /** The right that was missing, as `s3:GetObjectVersion`, where S3 or the call tells it. */
  readonly permission?: string | undefined;
  /** How long S3 asks to be left alone. */
  readonly retryAfterSeconds?: number | undefined;
}

const REASONS: Readonly<Record<StorageOutcome, string>> = {
  gone: 'object_gone',
  denied: 'access_denied',
  archived: 'storage_class_archived',
  superseded: 'overwritten',
  throttled: 'slow_down',
  unreachable: 'unreachable',
  credentials: 'credentials_rejected',
  other: 'request_refused',
};

/** What S3 said, told in our words; `detail` is safe to show. */
export class StorageError extends AppError {
  readonly code = 'STORAGE';
  readonly status = 502;
  override readonly retryable: boolean;
  readonly reason: string;
  readonly permission: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly outcome: StorageOutcome,
    /** S3's own error code, as `NoSuchKey`. */
    readonly s3Code: string,
    readonly detail: string,
    options: StorageErrorOptions = {},
  ) {
    super(`S3 answered ${s3Code}: ${detail}`, options);
    this.retryable = outcome === 'throttled' || outcome === 'unreachable' || outcome === 'credentials';
    this.reason = options.reason ?? REASONS[outcome];
    this.permission = options.permission;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** An answer that is no answer to what was asked, whatever its status says. It is never believed. */
export const badAnswer = (detail: string): StorageError =>
  new StorageError('other', 'BadAnswer', `${detail}. Does S3_ENDPOINT lead to an S3 server?`, {
    reason: 'bad_answer',
  });

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
