import type { Clock, Instant } from '../../clock.js';
import { Overloaded } from '../../errors.js';
import type { ExecutionStore } from '../execution-store.js';
import { isTerminalTask, isTerminalWorkflow, type Task, type Workflow } from '../model/execution.js';
import type { WorkflowExecution } from '../ports.js';
import type { CommitObserver } from './commit-observer.js';
import type { RuntimeLog } from './runtime-log.js';
import type { Transition } from './transition.js';

const MAX_WAITING = 2_000;
const MAX_PER_CLIENT = 200;
// Another node may have committed; its commits are not heard here.
const RECHECK_MS = 1_000;
// Of one waiter. What happens in further children is not looked at; the end of the whole still is.
const MAX_CHILDREN = 100;

/** Where a workflow has come to. */
export interface Arrival {
  /** The workflow as it was committed then; `undefined` when it has to be read, or does not exist. */
  readonly execution: WorkflowExecution | undefined;
  /** The task that it stopped for, its own or one of a sub-workflow; `undefined` when the workflow has ended. */
  readonly task: Task | undefined;
}

interface Waiter {
  readonly workflowId: string;
  readonly references: ReadonlySet<string>;
  /** The workflow and the children that are watched. */
  readonly watched: Map<string, Seen>;
  readonly arrive: (arrival: Arrival | undefined) => void;
}

/** The newest revision that was looked at, and when. */
interface Seen {
  revision: number;
  at: Instant;
}

/** One that waits; `stop` must be called in the end, however that comes about. */
export interface Waiting {
  /** `undefined` when the process stops. */
  readonly arrived: Promise<Arrival | undefined>;
  /** Waits for another workflow instead, which may have arrived already. */
  follow(workflowId: string): void;
  stop(): void;
}

/**
 * Those who wait until a workflow has ended or stops for somebody: woken by the commit that brings it there, when this
 * process makes it, else by one look a second at all that are waited for.
 */
export class Waiters implements CommitObserver {
  private readonly byWorkflow = new Map<string, Set<Waiter>>();
  private readonly perClient = new Map<string, number>();
  private count = 0;
  private isLooking = false;
  private isStopped = false;

  constructor(
    private readonly store: ExecutionStore,
    private readonly clock: Clock,
    private readonly log: RuntimeLog,
  ) {}

  /**
   * Call it before the workflow is started, or its end may be missed for a second.
   *
   * @param references stop when one of these tasks has ended.
   * @param client whose bound this counts against; `undefined` for callers in this process, which bound themselves.
   * @throws Overloaded when it, or the process, has too many waiting.
   */
  wait(workflowId: string, references: Iterable<string>, client?: string): Waiting {
    this.admit(client);
    const { promise, resolve } = withResolver<Arrival | undefined>();
    const of = new Set(references);
    let waiter: Waiter = { workflowId, references: of, watched: new Map(), arrive: resolve };
    this.watch(waiter, workflowId, this.clock.now());
    if (this.isStopped) resolve(undefined);
    let isOver = false;
    return {
      arrived: promise,
      follow: (other) => {
        if (isOver || other === waiter.workflowId) return;
        this.unwatch(waiter);
        waiter = { ...waiter, workflowId: other, watched: new Map() };
        this.watch(waiter, other, -Infinity);
        void this.look();
      },
      stop: () => {
        if (isOver) return;
        isOver = true;
        this.unwatch(waiter);
        this.release(client);
      },
    };
  }

  private admit(client: string | undefined): void {
    const mine = client === undefined ? 0 : (this.perClient.get(client) ?? 0);
    if (mine >= MAX_PER_CLIENT || this.count >= MAX_WAITING) {
      const who =
        mine >= MAX_PER_CLIENT
          ? `This client waits for ${mine} workflows`
          : 'Too many clients wait for workflows';
      throw new Overloaded(`${who} already. Try again, or start without waiting.`, 1);
    }
    if (client !== undefined) this.perClient.set(client, mine + 1);
    this.count += 1;
  }

  private release(client: string | undefined): void {
    this.count -= 1;
    if (client === undefined) return;
    const left = (this.perClient.get(client) ?? 1) - 1;
    if (left === 0) this.perClient.delete(client);
    else this.perClient.set(client, left);
  }

  private watch(waiter: Waiter, workflowId: string, at: Instant): void {
    waiter.watched.set(workflowId, { revision: -1, at });
    const waiting = this.byWorkflow.get(workflowId) ?? new Set();
    waiting.add(waiter);
    this.byWorkflow.set(workflowId, waiting);
    void this.keepLooking();
  }

  private unwatch(waiter: Waiter): void {
    for (const workflowId of waiter.watched.keys()) {
      const waiting = this.byWorkflow.get(workflowId);
      waiting?.delete(waiter);
      if (waiting?.size === 0) this.byWorkflow.delete(workflowId);
    }
  }

  /** Who waits is answered with what there is. */
  stop(): void {
    this.isStopped = true;
    for (const waiting of this.byWorkflow.values()) for (const { arrive } of waiting) arrive(undefined);
  }

  committed(batch: readonly Transition[]): void {
    if (this.byWorkflow.size === 0) return;
    for (const { workflowId, next, write } of batch) {
      const waiting = this.byWorkflow.get(workflowId);
      if (waiting === undefined) continue;
      const { workflow, tasks } = next.state;
      const changed = (write?.tasks ?? []).map(({ task }) => task);
      for (const waiter of waiting) this.show(waiter, workflow, tasks, changed);
    }
  }

  /** Tells a waiter where a workflow is that it watches; `changed` are the tasks that it has not seen so. */
  private show(waiter: Waiter, workflow: Workflow, tasks: readonly Task[], changed: readonly Task[]): void {
    const { workflowId, revision } = workflow;
    const seen = waiter.watched.get(workflowId);
    if (seen !== undefined) {
      seen.revision = revision;
      seen.at = this.clock.now();
    }
    const isTarget = workflowId === waiter.workflowId;
    if (isTarget && isTerminalWorkflow(workflow.status)) {
      waiter.arrive({ execution: { ...workflow, tasks }, task: undefined });
      return;
    }
    const task = changed.find((one) => stopsAt(one, waiter.references));
    if (task !== undefined) {
      waiter.arrive({ execution: isTarget ? { ...workflow, tasks } : undefined, task });
    }
    for (const { subWorkflowId, status } of changed) {
      if (subWorkflowId === undefined || isTerminalTask(status) || waiter.watched.has(subWorkflowId))
        continue;
      if (waiter.watched.size <= MAX_CHILDREN) this.watch(waiter, subWorkflowId, -Infinity);
    }
  }

  private async keepLooking(): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    while (this.byWorkflow.size > 0 && !this.isStopped) {
      await this.clock.sleepUntil(this.clock.now() + RECHECK_MS);
      await this.look();
    }
    this.isLooking = false;
  }

  /** One statement for all that this process heard nothing of lately; only what moved elsewhere is read. */
  private async look(): Promise<void> {
    const since = this.clock.now() - RECHECK_MS;
    const isStale = (waiter: Waiter, id: string): boolean => (waiter.watched.get(id)?.at ?? 0) <= since;
    const stale = [...this.byWorkflow].filter(([id, waiting]) =>
      [...waiting].some((one) => isStale(one, id)),
    );
    if (stale.length === 0) return;
    try {
      const revisions = await this.store.revisions(stale.map(([id]) => id));
      for (const [id, revision] of revisions) await this.lookAt(id, revision);
    } catch (error) {
      // The next look is a second away, and every waiter has a time of its own.
      this.log.warn(
        { err: error, waiting: this.count },
        'could not see how workflows fare that are waited for',
      );
    }
  }

  private async lookAt(workflowId: string, revision: number): Promise<void> {
    const isBehind = ({ watched }: Waiter): boolean =>
      (watched.get(workflowId)?.revision ?? revision) < revision;
    if (![...(this.byWorkflow.get(workflowId) ?? [])].some(isBehind)) return;
    const stored = await this.store.load(workflowId);
    if (stored === undefined) return;
    const behind = [...(this.byWorkflow.get(workflowId) ?? [])].filter(isBehind);
    for (const waiter of behind) this.show(waiter, stored.workflow, stored.tasks, stored.tasks);
  }
}

/** A WAIT without a time needs somebody to end it; and a named task has the answer when it has ended. */
function stopsAt(task: Task, references: ReadonlySet<string>): boolean {
  if (isTerminalTask(task.status)) return references.has(task.referenceTaskName);
  return task.taskType === 'WAIT' && isBlank(task.inputData['duration']) && isBlank(task.inputData['until']);
}

const isBlank = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'string' && value.trim() === '');

function withResolver<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((fulfil) => (resolve = fulfil));
  return { promise, resolve };
}
