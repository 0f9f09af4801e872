import type { Task } from '../engine/model/execution.js';
import { NotHere, RetryLater } from '../engine/ports.js';
import { OutOfReach } from '../s3/out-of-reach.js';
import { StorageError } from '../s3/storage-error.js';

/** Why there is nothing to scan or act on. `failed`: an answer that waiting does not mend. */
export type Gap = 'gone' | 'denied' | 'archived' | 'superseded' | 'failed';

/** An outcome that the ledger has words for. */
export interface StorageGap {
  readonly gap: Gap;
  /** Stable code; docs/operating.md has the table. */
  readonly reason: string;
  readonly detail: string;
}

// First waits, doubled each time, up to the longest; half of each is left to chance, so that those who were refused
// together do not come back together.
const FIRST_WAIT_SECONDS = { throttled: 15, unreachable: 30, credentials: 60 } as const;
const LONGEST_WAIT_SECONDS = 300;
// With these waits about two hours. What is only broken for one object (a part that cannot be read, a body that always
// ends early) must not hold its place for ever; a busy or silent S3 is waited for without end.
const LASTING_ATTEMPTS = 30;
const LASTING: readonly string[] = [
  'server_error',
  'body_interrupted',
  'body_idle',
  'upload_gone',
  'copy_differs',
];

type Attempt = Pick<Task, 'pollCount'>;

// Permissions, keys and regions may be in the making: two slow looks more before the ledger says so.
const PATIENCE_SECONDS = [5, 30];

/**
 * Sorts what S3 said: what the ledger has a word for is returned, after a little patience where somebody may still mend
 * it; a busy or silent S3 is waited for, which is no failure of the scan and never a verdict. Everything that is not
 * S3's is thrown on.
 *
 * @throws RetryLater; NotHere when only this process has no way to the endpoint.
 */
export function gapOf(error: unknown, task: Attempt): StorageGap {
  if (!(error instanceof StorageError)) throw error;
  if (error instanceof OutOfReach) throw new NotHere(error.message, { cause: error });
  const { outcome } = error;
  switch (outcome) {
    case 'gone':
    case 'archived':
    case 'superseded':
      return gap(outcome, error);
    case 'denied':
      return patiently(gap('denied', error), error, task);
    case 'other':
      return patiently(gap('failed', error), error, task);
    case 'throttled':
    case 'unreachable':
    case 'credentials':
      if (LASTING.includes(error.reason) && pollsOf(task) >= LASTING_ATTEMPTS) return gap('failed', error);
      throw new RetryLater(waitFor(error, outcome, pollsOf(task)), error.message, { cause: error });
    default:
      return outcome satisfies never;
  }
}

const gap = (name: Gap, { reason, s3Code, detail }: StorageError): StorageGap => ({
  gap: name,
  reason,
  detail: [s3Code, detail].filter((part) => part !== '').join(': '),
});

function patiently(found: StorageGap, error: StorageError, task: Attempt): StorageGap {
  const wait = PATIENCE_SECONDS[pollsOf(task) - 1];
  if (wait === undefined) return found;
  throw new RetryLater(wait, error.message, { cause: error });
}

/** How the ledger's notes tell of it. */
export const noteOf = (found: StorageGap): string => `${found.gap} (${found.reason}): ${found.detail}`;

function waitFor(error: StorageError, outcome: keyof typeof FIRST_WAIT_SECONDS, polls: number): number {
  const full = Math.min(FIRST_WAIT_SECONDS[outcome] * 2 ** Math.min(polls - 1, 10), LONGEST_WAIT_SECONDS);
  const wait = Math.ceil(full / 2 + (Math.random() * full) / 2);
  return Math.max(wait, error.retryAfterSeconds ?? 0);
}

/** How often the attempt was handed out, this time included. */
const pollsOf = ({ pollCount }: Attempt): number => Math.max(1, pollCount);
