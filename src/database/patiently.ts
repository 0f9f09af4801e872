import { setTimeout as pause } from 'node:timers/promises';
import { ConfigError, Unavailable } from '../errors.js';
import { explainRefusal } from './refusals.js';
import { remedyOf, troubleOf, type TroubleKind } from './trouble.js';

// A server that restarts or fails over is back within this; who starts the service should not wait longer for a reason.
const PATIENCE_MS = 30_000;
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 2_000;

// What is over by itself as a rule. A refusal and a full disk are for somebody to mend.
const PASSING: ReadonlySet<TroubleKind | undefined> = new Set<TroubleKind>(['away', 'crowded', 'slow']);

/** The part of pino that waiting uses. */
export interface PatienceLog {
  warn(facts: object, message: string): void;
}

export interface Patience {
  readonly log: PatienceLog;
  /** Aborted when nobody wants the outcome any more. */
  readonly signal?: AbortSignal | undefined;
  readonly patienceMs?: number | undefined;
}

/**
 * Takes a step of a start that needs PostgreSQL, again while a passing trouble keeps it from being taken, for half a
 * minute at most. The step must be repeatable: a lost connection does not tell how far it came.
 *
 * @throws what the step threw; a trouble of PostgreSQL as a sentence with its remedy; the signal's reason.
 */
export async function patiently<T>(
  step: () => Promise<T>,
  { log, signal, patienceMs = PATIENCE_MS }: Patience,
): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(MAX_PAUSE_MS, pauseMs * 2)) {
    try {
      return await step();
    } catch (error) {
      signal?.throwIfAborted();
      const kind = troubleOf(error);
      if (kind === undefined) throw error;
      if (!PASSING.has(kind) || performance.now() + pauseMs > deadline) throw explained(error, kind);
      log.warn(
        { state: kind, err: error, remedy: remedyOf(kind) },
        'PostgreSQL does not serve now; the start waits for it',
      );
    }
    await pause(pauseMs, undefined, { signal }).catch(() => signal?.throwIfAborted());
  }
}

function explained(error: unknown, kind: TroubleKind): Error {
  // Said with its remedy already.
  if (error instanceof Unavailable || error instanceof ConfigError) return error;
  if (kind !== 'full' && kind !== 'read-only' && kind !== 'slow')
    return explainRefusal(error, 'DATABASE_URL');
  const said = error instanceof Error ? error.message : String(error);
  const sentence = `PostgreSQL cannot do what a start needs: ${said}. ${remedyOf(kind)}`;
  return new Unavailable('postgresql', sentence, { cause: error });
}
