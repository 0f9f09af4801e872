import type { Delivery } from '../../../outbound/outbox.js';

/** Seconds from one attempt to the next; after the last it is parked. About 16 hours in all. */
export const RETRY_SECONDS: readonly number[] = [5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800];
// What was refused for itself will be refused again: a few times, in case the receiver is being mended.
const REFUSED_ATTEMPTS = 5;
// A receiver may ask for patience, but not for ever.
const MAX_PATIENCE_SECONDS = 3600;
/** Refusals that say "not now" and not "not this". */
const LATER = new Set([408, 425, 429]);

/** The receiver says that it is no more: there is nothing to come back for. */
export const GONE = 410;

/** What one answer means for its message. @param spread in [0, 1): so that not all come back together. */
export function judged(
  answer: {
    readonly status: number;
    readonly retryAfter?: string | undefined;
    readonly milliseconds: number;
  },
  attempt: number,
  spread: number,
): Delivery {
  const { status, milliseconds } = answer;
  const receipt = { status, milliseconds };
  if (status >= 200 && status < 300) return { kind: 'sent', receipt };
  if (status === GONE) return { kind: 'giveUp', reason: 'the receiver answered 410: it is no more', receipt };
  const reason =
    status >= 300 && status < 400
      ? `the receiver answered ${status}: redirects are not followed, subscribe the address it leads to`
      : `the receiver answered ${status}`;
  const isRefused = status >= 300 && status < 500 && !LATER.has(status);
  return again(reason, { attempt, spread, receipt, most: isRefused ? REFUSED_ATTEMPTS : undefined }, answer);
}

/** Another attempt, or none after the last. */
export function again(
  reason: string,
  {
    attempt,
    spread,
    receipt,
    most = RETRY_SECONDS.length + 1,
  }: {
    readonly attempt: number;
    readonly spread: number;
    readonly receipt?: Readonly<Record<string, unknown>> | undefined;
    readonly most?: number | undefined;
  },
  { retryAfter }: { readonly retryAfter?: string | undefined } = {},
): Delivery {
  const seconds = RETRY_SECONDS[attempt - 1];
  if (seconds === undefined || attempt >= most)
    return { kind: 'giveUp', reason: `${reason} (after ${attempt} attempts)`, receipt };
  const asked = /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) : 0;
  const afterSeconds = Math.max(Math.min(asked, MAX_PATIENCE_SECONDS), seconds * (0.8 + spread * 0.4));
  return { kind: 'retry', reason, afterSeconds, receipt };
}
