import { isDatabaseAway } from '../database/is-away.js';
import { AppError, NotFound, Overloaded } from '../errors.js';

/**
 * What a start that failed means.
 *
 * - `wait`: nobody can be started now; this says nothing about the item.
 * - `retry`: it may pass later, as when the workflow's definition is registered.
 * - `hopeless`: the same request will be refused for ever.
 */
export type StartFailure =
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'retry'; readonly afterMs: number; readonly reason: string }
  | { readonly kind: 'hopeless'; readonly code: string; readonly reason: string };

/** So many tries, over about three minutes: longer than a deployment's parts take to come up one after the other. */
export const MAX_ATTEMPTS = 5;

const FIRST_RETRY_MS = 2_000;
const RETRY_FACTOR = 4;
const AWAY_MS = 1_000;
const MAX_REASON = 1_000;

/** @param attempts that failed before this one. */
export function startFailure(error: unknown, attempts: number): StartFailure {
  if (error instanceof Overloaded) return { kind: 'wait', ms: error.retryAfterSeconds * 1000 };
  if (isDatabaseAway(error) || (error instanceof AppError && error.retryable))
    return { kind: 'wait', ms: AWAY_MS };
  const { message } = error instanceof Error ? error : new Error(String(error));
  const reason = message.slice(0, MAX_REASON).toWellFormed().replaceAll('\u0000', '\uFFFD');
  const isRefusal = error instanceof AppError && !(error instanceof NotFound);
  if (isRefusal || attempts + 1 >= MAX_ATTEMPTS) {
    return { kind: 'hopeless', code: error instanceof AppError ? error.code : 'INTERNAL', reason };
  }
  return { kind: 'retry', afterMs: FIRST_RETRY_MS * RETRY_FACTOR ** attempts, reason };
}
