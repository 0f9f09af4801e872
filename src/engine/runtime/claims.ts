import type { Clock } from '../../clock.js';
import type { ClaimedTask, ExecutionStore, TaskClaim } from '../execution-store.js';
import { tell, type CommitObserver } from './commit-observer.js';
import type { FairTags } from './fair-tags.js';
import type { RuntimeLog } from './runtime-log.js';
import type { WorkflowCache } from './workflow-cache.js';

type Taker = TaskClaim['takers'][number];

interface Asked {
  readonly takers: readonly Taker[];
  readonly resolve: (tasks: readonly ClaimedTask[]) => void;
  readonly reject: (error: unknown) => void;
}

// One statement hands out hundreds for the price of a few (reference/performance.md, section 2).
const MAX_PER_STATEMENT = 200;

/**
 * Claims for everybody in this process who wants tasks: one statement per task type at a time, which serves all who
 * asked meanwhile.
 */
export class Claims {
  private readonly waiting = new Map<string, Asked[]>();
  private readonly busy = new Set<string>();

  constructor(
    private readonly store: ExecutionStore,
    private readonly clock: Clock,
    private readonly cache: WorkflowCache,
    private readonly fairTags: FairTags,
    private readonly watch: { readonly observers: readonly CommitObserver[]; readonly log: RuntimeLog },
  ) {}

  /** As many tasks as there are, at most one per taker. */
  take(taskType: string, takers: readonly Taker[]): Promise<readonly ClaimedTask[]> {
    return new Promise((resolve, reject) => {
      const asked = this.waiting.get(taskType) ?? [];
      asked.push({ takers, resolve, reject });
      this.waiting.set(taskType, asked);
      if (!this.busy.has(taskType)) void this.work(taskType);
    });
  }

  private async work(taskType: string): Promise<void> {
    this.busy.add(taskType);
    // Let everybody who was woken by the same signal ask.
    await new Promise((resolve) => setImmediate(resolve));
    for (let batch = this.next(taskType); batch.length > 0; batch = this.next(taskType)) {
      await this.claim(taskType, batch);
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

  private async claim(taskType: string, batch: readonly Asked[]): Promise<void> {
    try {
      const takers = batch.flatMap((asked) => asked.takers);
      const claimed = await this.store.claimTasks({ taskType, takers, now: this.clock.now() });
      this.follow(taskType, claimed);
      let offset = 0;
      for (const { takers: mine, resolve } of batch) {
        const start = offset;
        offset += mine.length;
        resolve(claimed.filter(({ taker }) => taker >= start && taker < start + mine.length));
      }
      const { observers, log } = this.watch;
      if (claimed.length > 0) tell(observers, log, (observer) => observer.claimed?.(claimed));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  private follow(taskType: string, claimed: readonly ClaimedTask[]): void {
    const byWorkflow = new Map<string, ClaimedTask[]>();
    for (const one of claimed) {
      this.fairTags.advance(taskType, one.fairTag);
      const others = byWorkflow.get(one.task.workflowInstanceId);
      if (others === undefined) byWorkflow.set(one.task.workflowInstanceId, [one]);
      else others.push(one);
    }
    for (const [workflowId, ones] of byWorkflow) {
      const [one] = ones;
      if (one === undefined) continue;
      const { revisionBefore, revision } = one;
      this.cache.patch(
        workflowId,
        revisionBefore,
        revision,
        ones.map(({ task }) => task),
      );
    }
  }
}
