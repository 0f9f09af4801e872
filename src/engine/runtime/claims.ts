import type { Clock, Instant } from '../../clock.js';
import {
  ClaimUnanswered,
  StoreFailure,
  type ClaimedTask,
  type ExecutionStore,
  type TaskClaim,
} from '../execution-store.js';
import { tell as tellObservers, type CommitObserver } from './commit-observer.js';
import type { FairTags } from './fair-tags.js';
import type { RuntimeLog } from './runtime-log.js';
import type { WorkflowCache } from './workflow-cache.js';

type Taker = TaskClaim['takers'][number];

const isDataError = (error: unknown): boolean => error instanceof StoreFailure && error.kind === 'data';

/** Who polls sent nothing that could be wrong: a row that was stored long ago is. */
const notTheirs = (taskType: string, cause: unknown): Error =>
  new Error(`A stored task of type ${taskType} cannot be handed out: ${String(cause)}`, { cause });

/** A statement on its way. */
interface Claiming {
  /** Known before it is on disk: whether every taker got a task. */
  readonly taken: Promise<boolean>;
  /** Everybody is answered but these, who got nothing; `undefined` when there are none. */
  done: Promise<readonly Asked[] | undefined>;
}

interface Asked {
  readonly takers: readonly Taker[];
  readonly resolve: (tasks: readonly ClaimedTask[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Each one's part of what was claimed for all. */
function sharesOf(batch: readonly Asked[], claimed: readonly ClaimedTask[]): (readonly ClaimedTask[])[] {
  let end = 0;
  return batch.map(({ takers }) => {
    const start = end;
    end += takers.length;
    return claimed.filter(({ taker }) => taker >= start && taker < end);
  });
}

// One statement hands out hundreds for the price of a few.
const MAX_PER_STATEMENT = 200;
// What a claim could not lock is free again after a commit, some milliseconds; many times in a row means a long one.
const LOCKED_MS = 3;
const MAX_LOCKED_MS = 100;
/** Instead of a pause: somebody looks. */
const LOOKING = -1;
// Until the database answers again; a claim that is still on its way there holds its locks for up to 15 s.
const RETURN_AGAIN_MS = 1_000;

interface Parts {
  readonly store: ExecutionStore;
  readonly clock: Clock;
  readonly cache: WorkflowCache;
  readonly fairTags: FairTags;
  /** See {@link TaskClaim.ageingMs}. */
  readonly ageingMs: number;
  /** The tasks of a type that this process's own workers leave to others. */
  readonly refused: (taskType: string, now: Instant) => readonly string[];
  /** Tasks of this type that were locked when somebody wanted them may be free now. */
  readonly again: (taskType: string) => void;
  /** Tasks of this type were handed back. */
  readonly returned: (taskType: string) => void;
  readonly observers: readonly CommitObserver[];
  readonly log: RuntimeLog;
}

/**
 * Claims for everybody in this process who wants tasks: one statement per task type after the other, each of which serves
 * all who asked meanwhile. The next one is sent while what the one before took is written to disk.
 */
export class Claims {
  private readonly waiting = new Map<string, Asked[]>();
  private readonly busy = new Set<string>();
  /** The newest statement of each type whose tasks are not on disk yet. */
  private readonly underWay = new Map<string, Claiming>();
  /** All statements that are not over, each with its type. */
  private readonly statements = new Map<Promise<unknown>, string>();
  /** Types whose last claim found a task for everybody. */
  private readonly plenty = new Set<string>();
  /** Types with tasks behind somebody's lock: the pause before the next look. */
  private readonly locked = new Map<string, number>();
  private readonly stopping = new AbortController();

  constructor(private readonly parts: Parts) {}

  /** As many tasks as there are, at most one per taker. */
  take(taskType: string, takers: readonly Taker[]): Promise<readonly ClaimedTask[]> {
    return new Promise((resolve, reject) => {
      const asked = this.waiting.get(taskType) ?? [];
      asked.push({ takers, resolve, reject });
      this.waiting.set(taskType, asked);
      if (!this.busy.has(taskType)) void this.work(taskType);
    });
  }

  /** Whether more tasks of this type wait, as far as the last claim can tell. */
  expectsMore(taskType: string): boolean {
    return this.plenty.has(taskType);
  }

  /** Until the statements are over that this process sent for this type up to now; they know no later refusal. */
  async answered(taskType: string): Promise<void> {
    const sent = [...this.statements].filter(([, type]) => type === taskType);
    await Promise.all(sent.map(([statement]) => statement));
  }

  private async work(taskType: string): Promise<void> {
    this.busy.add(taskType);
    // Let everybody who was woken by the same signal ask.
    await new Promise((resolve) => setImmediate(resolve));
    for (let batch = this.next(taskType); batch.length > 0; batch = this.next(taskType)) {
      const behind = [...(this.waiting.get(taskType) ?? [])];
      const before = this.underWay.get(taskType);
      const claiming = this.claim(taskType, batch);
      // The next one need not wait until this one's tasks are on disk, only until those of the one before are.
      const gotAll = await claiming.taken;
      await before?.done;
      if (gotAll) continue;
      const unserved = await claiming.done;
      if (unserved === undefined) continue;
      const now = this.waiting.get(taskType) ?? [];
      if (before !== undefined) {
        // What the one before had locked may be what these want.
        this.waiting.set(taskType, [...unserved, ...now]);
        continue;
      }
      // There are no more: who asked before the statement began need not ask the database for it again.
      const later = now.slice(behind.length);
      if (later.length > 0) this.waiting.set(taskType, later);
      else this.waiting.delete(taskType);
      for (const { resolve } of [...unserved, ...behind]) resolve([]);
      void this.lookBehindLocks(taskType);
    }
    this.busy.delete(taskType);
  }

  private next(taskType: string): Asked[] {
    const asked = this.waiting.get(taskType) ?? [];
    let count = 0;
    let end = 0;
    for (; end < asked.length; end++) {
      count += asked[end]?.takers.length ?? 0;
      if (count > MAX_PER_STATEMENT && end > 0) break;
    }
    const rest = asked.slice(end);
    if (rest.length > 0) this.waiting.set(taskType, rest);
    else this.waiting.delete(taskType);
    return asked.slice(0, end);
  }

  private claim(taskType: string, batch: readonly Asked[]): Claiming {
    let tell: (gotAll: boolean) => void = () => undefined;
    const taken = new Promise<boolean>((resolve) => (tell = resolve));
    const claiming: Claiming = { taken, done: Promise.resolve(undefined) };
    this.underWay.set(taskType, claiming);
    const finish = async (): Promise<readonly Asked[] | undefined> => {
      const unserved = await this.handOut(taskType, batch, tell);
      if (this.underWay.get(taskType) === claiming) this.underWay.delete(taskType);
      tell(unserved === undefined);
      return unserved;
    };
    const done = (claiming.done = finish());
    this.statements.set(done, taskType);
    void done.finally(() => this.statements.delete(done));
    return claiming;
  }

  /**
   * @param tell whether all got a task, as soon as it is known. @returns who got nothing; `undefined` when all got one, or
   * all were told what went wrong.
   */
  private async handOut(
    taskType: string,
    batch: readonly Asked[],
    tell: (gotAll: boolean) => void,
  ): Promise<readonly Asked[] | undefined> {
    const { store, clock, ageingMs, observers, log } = this.parts;
    const takers = batch.flatMap((asked) => asked.takers);
    try {
      const now = clock.now();
      // Workers outside may be able to do what this process is not.
      const isOwn = takers.every(({ owner }) => owner !== undefined);
      const except = isOwn ? this.parts.refused(taskType, now) : [];
      const claimed = await store.claimTasks({ taskType, takers, now, ageingMs, except }, (tasks) =>
        tell(tasks.length === takers.length),
      );
      this.follow(taskType, claimed);
      const shares = sharesOf(batch, claimed);
      for (const [index, asked] of batch.entries()) {
        const share = shares[index] ?? [];
        if (share.length > 0) asked.resolve(share);
      }
      if (claimed.length > 0) {
        tellObservers(observers, log, (observer) => observer.claimed?.(claimed));
        // Some were to be had; what is missing is locked for a moment, or too large for one answer.
        if (this.locked.get(taskType) !== LOOKING) this.locked.delete(taskType);
      }
      if (claimed.length === takers.length) {
        this.plenty.add(taskType);
        return undefined;
      }
      this.plenty.delete(taskType);
      return batch.filter((_, index) => shares[index]?.length === 0);
    } catch (error) {
      const told = isDataError(error) ? notTheirs(taskType, error) : error;
      for (const { reject } of batch) reject(told);
      if (error instanceof ClaimUnanswered) void this.giveBack(taskType, error.claimed);
      return undefined;
    }
  }

  /** Nobody was told of these tasks: they wait again as soon as the database answers. */
  async giveBack(taskType: string, claimed: readonly ClaimedTask[]): Promise<void> {
    const { store, clock, returned, observers, log } = this.parts;
    let left = claimed.map(({ task }) => task);
    while (left.length > 0) {
      try {
        const { busy } = await store.returnTasks(left, clock.now());
        returned(taskType);
        tellObservers(observers, log, (observer) => observer.released?.());
        left = left.filter(({ taskId }) => busy.includes(taskId));
      } catch (error) {
        log.debug(
          { err: error, taskType },
          'tasks of a claim without an answer could not be handed back yet',
        );
      }
      if (left.length === 0) return;
      if (this.stopping.signal.aborted) {
        log.warn({ taskType, left: left.length }, 'tasks may be held by nobody until their response timeout');
        return;
      }
      await clock.sleepUntil(clock.now() + RETURN_AGAIN_MS, this.stopping.signal);
    }
  }

  /** What a claim without an answer took is tried to be handed back a last time. */
  stop(): void {
    this.stopping.abort();
  }

  /** A claim waits for no lock; what it had to leave to somebody else's commit is wanted right after. */
  private async lookBehindLocks(taskType: string): Promise<void> {
    const { store, clock, again, refused, log } = this.parts;
    // What waits are these, for all that is known; the look of each second finds others.
    if (refused(taskType, clock.now()).length > 0) return;
    const pause = this.locked.get(taskType) ?? LOCKED_MS;
    if (pause === LOOKING) return;
    this.locked.set(taskType, LOOKING);
    try {
      const { dueTypes } = await store.outlook(clock.now(), [taskType]);
      if (dueTypes.length === 0) {
        this.locked.delete(taskType);
        return;
      }
      // Real time: it is about the database's, and nothing is stored of it.
      await new Promise((resolve) => setTimeout(resolve, pause));
      this.locked.set(taskType, Math.min(MAX_LOCKED_MS, pause * 2));
      again(taskType);
    } catch (error) {
      this.locked.delete(taskType);
      log.debug({ err: error, taskType }, 'could not look for tasks behind locks; the next second does');
    }
  }

  private follow(taskType: string, claimed: readonly ClaimedTask[]): void {
    const byWorkflow = new Map<string, ClaimedTask[]>();
    for (const one of claimed) {
      this.parts.fairTags.advance(taskType, one.fairTag);
      const others = byWorkflow.get(one.task.workflowInstanceId);
      if (others === undefined) byWorkflow.set(one.task.workflowInstanceId, [one]);
      else others.push(one);
    }
    for (const [workflowId, ones] of byWorkflow) {
      const [one] = ones;
      if (one === undefined) continue;
      const { revisionBefore, revision } = one;
      const deadlines = ones.flatMap(({ deadline }) => (deadline === undefined ? [] : [deadline]));
      this.parts.cache.patch(workflowId, {
        revisionBefore,
        revision,
        tasks: ones.map(({ task }) => task),
        timerAt: deadlines.length === 0 ? undefined : Math.min(...deadlines),
      });
    }
  }
}
