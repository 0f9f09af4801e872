import { RetryLater } from '../engine/ports.js';
import { StorageError, type StorageOutcome } from '../s3/storage-error.js';

/** Why there is nothing to scan or act on. */
export type Gap = Extract<StorageOutcome, 'gone' | 'denied' | 'archived' | 'superseded'>;

const THROTTLED_SECONDS = 15;
const UNREACHABLE_SECONDS = 30;

/**
 * Sorts what S3 said: an outcome that the ledger has a word for is returned; a busy or silent S3 is waited for, which is no
 * failure of the scan; everything else is thrown on.
 */
export function gapOf(error: unknown): { readonly gap: Gap; readonly detail: string } {
  if (!(error instanceof StorageError)) throw error;
  switch (error.outcome) {
    case 'gone':
    case 'denied':
    case 'archived':
    case 'superseded':
      return { gap: error.outcome, detail: `${error.s3Code}: ${error.detail}` };
    case 'throttled':
      throw new RetryLater(THROTTLED_SECONDS, error.message, { cause: error });
    case 'unreachable':
      throw new RetryLater(UNREACHABLE_SECONDS, error.message, { cause: error });
    case 'other':
      throw error;
    default:
      return error.outcome satisfies never;
  }
}
