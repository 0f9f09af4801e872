import { ConfigError } from '../../errors.js';
import type { Instant } from '../../clock.js';
import type { Task } from '../model/execution.js';
import type { TaskWorker } from '../ports.js';

// Whether another process could do it is known by then, and so may be whether this one can after all.
export const REFUSED_MS = 30_000;
// A claim names them all.
const MAX_REFUSED = 1_000;

/**
 * How many more runs of one in-process worker this process takes.
 *
 * A slot is reserved while a batch is decided, before it is written, so that the task is stored as already held; a
 * rollback frees it. When tasks of the type are waiting, nothing is reserved: a new task must not overtake them.
 */
export class Slots {
  private readonly pools = new Map<string, Pool>();
  private readonly refusals = new Map<string, { readonly taskType: string; readonly until: Instant }>();
  private open = true;

  constructor(workers: readonly TaskWorker[] = []) {
    for (const worker of workers) this.add(worker);
  }

  /** Throws when another worker of this process has the same task type. */
  add(worker: TaskWorker): void {
    if (this.pools.has(worker.taskType)) {
      throw new ConfigError(
        `Two workers take tasks of type ${worker.taskType}; there can be one per process.`,
      );
    }
    this.pools.set(worker.taskType, { worker, free: worker.concurrency, backlogged: true });
  }

  worker(taskType: string): TaskWorker | undefined {
    return this.pools.get(taskType)?.worker;
  }

  get taskTypes(): readonly string[] {
    return [...this.pools.keys()];
  }

  /** For a task that is being decided; false when it has to queue, or this process refused it. */
  tryReserve({ taskType, taskId }: Pick<Task, 'taskType' | 'taskId'>, now: Instant): boolean {
    const pool = this.pools.get(taskType);
    if ((this.refusals.get(taskId)?.until ?? now) > now) return false;
    if (!this.open || pool === undefined || pool.backlogged || pool.free === 0) return false;
    pool.free -= 1;
    return true;
  }

  /** For tasks that wait already: as many as can be had, at most `wanted`. */
  reserveForClaim(taskType: string, wanted: number): number {
    const pool = this.pools.get(taskType);
    if (!this.open || pool === undefined) return 0;
    const taken = Math.min(pool.free, wanted);
    pool.free -= taken;
    return taken;
  }

  free(taskType: string, count = 1): void {
    const pool = this.pools.get(taskType);
    if (pool !== undefined) pool.free += count;
  }

  freeCount(taskType: string): number {
    return this.open ? (this.pools.get(taskType)?.free ?? 0) : 0;
  }

  /** True from the start and whenever a claim may have left tasks waiting, until a claim finds none. */
  setBacklogged(taskType: string, backlogged: boolean): void {
    const pool = this.pools.get(taskType);
    if (pool !== undefined) pool.backlogged = backlogged;
  }

  isBacklogged(taskType: string): boolean {
    return this.pools.get(taskType)?.backlogged ?? false;
  }

  /** This process cannot do it: it is left to others for a while. */
  refuse({ taskType, taskId }: Pick<Task, 'taskType' | 'taskId'>, now: Instant): void {
    this.refusals.delete(taskId);
    this.refusals.set(taskId, { taskType, until: now + REFUSED_MS });
    for (const [id, { until }] of this.refusals) {
      // In the order of time: the first that holds is followed by others that do.
      if (until > now && this.refusals.size <= MAX_REFUSED) break;
      this.refusals.delete(id);
    }
  }

  /** The tasks of a type that this process leaves to others now. */
  refused(taskType: string, now: Instant): readonly string[] {
    if (this.refusals.size === 0) return [];
    return [...this.refusals]
      .filter(([, refusal]) => refusal.taskType === taskType && refusal.until > now)
      .map(([taskId]) => taskId);
  }

  /** No slot is given out any more. */
  close(): void {
    this.open = false;
  }
}

interface Pool {
  readonly worker: TaskWorker;
  free: number;
  backlogged: boolean;
}
