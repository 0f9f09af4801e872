import type { Clock } from '../../clock.js';
import type { ClaimedTask } from '../execution-store.js';
import type { Claims } from './claims.js';
import type { Runner } from './runner.js';
import type { RuntimeLog } from './runtime-log.js';
import type { Signal } from './signal.js';
import type { Slots } from './slots.js';

// A task whose workflow row was locked for a moment is skipped by a claim; one more look catches it.
const SECOND_LOOK_MS = 20;
// A failed claim (database away) is repeated after this; the outlook asks again each second anyway.
const RECHECK_MS = 1_000;

interface Parts {
  readonly clock: Clock;
  readonly slots: Slots;
  readonly claims: Pick<Claims, 'take'>;
  readonly runner: Pick<Runner, 'start'>;
  readonly signal: Pick<Signal, 'raise'>;
  readonly log: RuntimeLog;
  readonly incarnation: () => string;
}

/** Brings waiting tasks to whoever is free: this process's workers by claims, waiting polls by a signal. */
export class Dispatcher {
  private readonly pumping = new Set<string>();
  private readonly again = new Set<string>();
  private readonly looking = new Set<string>();
  private isStopped = false;

  constructor(private readonly parts: Parts) {}

  /** Something of this type may be waiting. */
  wake(taskType: string): void {
    this.parts.signal.raise(taskType);
    this.pump(taskType);
  }

  /** A task of this type has to queue: new ones must not overtake it. */
  queued(taskType: string): void {
    this.parts.slots.setBacklogged(taskType, true);
    this.wake(taskType);
    this.lookAgain(taskType);
  }

  freed(taskType: string): void {
    if (this.parts.slots.isBacklogged(taskType)) this.pump(taskType);
  }

  stop(): void {
    this.isStopped = true;
  }

  private pump(taskType: string): void {
    if (this.isStopped) return;
    if (this.pumping.has(taskType)) {
      this.again.add(taskType);
      return;
    }
    if (this.parts.slots.freeCount(taskType) === 0) return;
    this.pumping.add(taskType);
    void this.fill(taskType).finally(() => {
      this.pumping.delete(taskType);
      if (this.again.delete(taskType)) this.pump(taskType);
    });
  }

  /** Claims for the free slots until none is free or nothing waits. */
  private async fill(taskType: string): Promise<void> {
    const { slots, claims, clock, incarnation } = this.parts;
    for (;;) {
      const wanted = slots.reserveForClaim(taskType, 100);
      if (wanted === 0) return;
      const owner = incarnation();
      let claimed: readonly ClaimedTask[] = [];
      try {
        const takers = Array.from({ length: wanted }, () => ({ workerId: owner, owner }));
        claimed = await claims.take(taskType, takers);
      } catch (error) {
        slots.free(taskType, wanted);
        this.parts.log.warn({ err: error, taskType }, 'a claim failed; trying again');
        await clock.sleepUntil(clock.now() + RECHECK_MS);
        return;
      }
      slots.free(taskType, wanted - claimed.length);
      for (const { task, traceparent } of claimed) this.parts.runner.start(task, traceparent);
      if (claimed.length < wanted) {
        slots.setBacklogged(taskType, this.again.has(taskType));
        return;
      }
      // An earlier claim may have found all of them locked and said that none waits.
      slots.setBacklogged(taskType, true);
    }
  }

  private lookAgain(taskType: string): void {
    if (this.looking.has(taskType)) return;
    this.looking.add(taskType);
    const { clock } = this.parts;
    const look = (): void => {
      this.looking.delete(taskType);
      if (!this.isStopped) this.wake(taskType);
    };
    void clock.sleepUntil(clock.now() + SECOND_LOOK_MS).then(look);
  }
}
