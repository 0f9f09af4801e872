import { ConfigError } from '../../errors.js';
import type { TaskWorker } from '../ports.js';

/**
 * How many more runs of one in-process worker this process takes.
 *
 * A slot is reserved while a batch is decided, before it is written, so that the task is stored as already held; a
 * rollback frees it. When tasks of the type are waiting, nothing is reserved: a new task must not overtake them.
 */
export class Slots {
  private readonly pools = new Map<string, Pool>();
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

  /** For a task that is being decided; false when it has to queue. */
  tryReserve(taskType: string): boolean {
    const pool = this.pools.get(taskType);
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
