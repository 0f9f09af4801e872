import type { Instant } from '../../clock.js';
import type { ClaimedTask } from '../execution-store.js';
import type { RuntimeLog } from './runtime-log.js';
import type { Transition } from './transition.js';

/** How one commit went. Durations are real milliseconds. */
export interface CommitFacts {
  /** The time with which the batch was decided. */
  readonly now: Instant;
  /** Requests that the batch answered; several may concern one workflow. */
  readonly entries: number;
  /** Time spent in the decider, between locking and writing. */
  readonly decideMs: number;
  /** The whole transaction without the decider: connection, locks, statements, COMMIT. */
  readonly commitMs: number;
  /** SQL statements with BEGIN and COMMIT; 0 when the store does not say. */
  readonly statements: number;
}

/**
 * Is told what this process has made durable, after the answer to whoever waits for it was given.
 *
 * Called synchronously between two batches: return at once and keep no reference to a transition, which holds a
 * workflow whole. What it throws is logged and changes nothing.
 */
export interface CommitObserver {
  /**
   * A batch was stored. A transition says what changed: `before` (undefined for a start) and `next.state` give status
   * and revision, `write` the changed task rows (undefined: nothing was stored), {@link rowOf} the row before.
   */
  committed(batch: readonly Transition[], facts: CommitFacts): void;
  /** Waiting tasks were handed to workers, past the committer; each raised its workflow's revision. */
  claimed?(tasks: readonly ClaimedTask[]): void;
  /** Tasks of dead or leaving nodes were handed back, past the committer; whose, the store does not say. */
  released?(): void;
}

/** Calls every observer; one that throws does not keep the others from hearing. */
export function tell(
  observers: readonly CommitObserver[],
  log: RuntimeLog,
  what: (observer: CommitObserver) => void,
): void {
  for (const observer of observers) {
    try {
      what(observer);
    } catch (error) {
      log.error({ err: error }, 'an observer of commits failed; what it should have told is lost');
    }
  }
}
