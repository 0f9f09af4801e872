import type { Clock } from '../../clock.js';
import { sentenceOf, troubleOf } from '../../database/trouble.js';
import { Unavailable } from '../../errors.js';
import type { StoreFailure } from '../execution-store.js';
import type { Entry } from './entry.js';
import type { CommitQueue } from './queue.js';

// Real time: nothing is stored of it. A call is answered at most this much later than it was promised.
const LOOK_EVERY_MS = 1_000;
// A lane that meets failures answers by itself, and says which, after its pause at the latest; a silent one never does.
const SILENT_AFTER_MS = 3_000;

const MAYBE = 'It may or may not have taken effect: look before you repeat it.';
const NOTHING = 'Nothing was changed; try again in a few seconds.';

/** What a client is told whose call is given up after failures; `isUnknown`: one of them was a COMMIT without answer. */
export function refusal(error: StoreFailure, isUnknown: boolean): Unavailable {
  const sentence = sentenceOf(troubleOf(error) ?? 'away');
  return new Unavailable('postgresql', `${sentence} ${isUnknown ? MAYBE : NOTHING}`, { cause: error });
}

interface Parts {
  readonly queue: CommitQueue;
  readonly clock: Clock;
  readonly giveUpAfterMs: number;
  /** What the lanes hold at this moment. */
  readonly inFlight: () => Iterable<readonly { readonly entries: readonly Entry[] }[]>;
}

/**
 * Gives up clients' calls that wait too long although nothing failed: the database is slow, or silent, and the lanes
 * are all held up. Looks once a second while there is something to wait for, and costs nothing otherwise.
 */
export class Patience {
  private isLooking = false;

  constructor(private readonly parts: Parts) {}

  /** Something waits now. */
  begin(): void {
    if (this.isLooking) return;
    this.isLooking = true;
    setTimeout(() => this.look(), LOOK_EVERY_MS).unref();
  }

  private look(): void {
    this.isLooking = false;
    const { queue, clock, giveUpAfterMs, inFlight } = this.parts;
    if (queue.isEmpty) return;
    const before = clock.now() - giveUpAfterMs;
    for (const entry of queue.expire(before)) {
      entry.reject(new Unavailable('postgresql', `${sentenceOf('slow')} ${NOTHING}`));
    }
    for (const batch of inFlight()) {
      for (const { entries } of batch) {
        for (const entry of entries) {
          if (entry.internal || entry.since >= before - SILENT_AFTER_MS) continue;
          // The lane has it still, and what it answers later goes to nobody.
          entry.reject(new Unavailable('postgresql', `${sentenceOf('slow')} ${MAYBE}`));
        }
      }
    }
    this.begin();
  }
}
