import type { Clock } from '../../clock.js';
import type { Task } from '../model/execution.js';
import {
  NotHere,
  RetryLater,
  TerminalError,
  type TaskContext,
  type TaskOutcome,
  type TaskWorker,
} from '../ports.js';
import type { Committer } from './committer.js';
import type { CrashPoints } from './crash-points.js';
import { payloadProblems, storableText } from './payload-check.js';
import type { RuntimeLog } from './runtime-log.js';
import type { Slots } from './slots.js';
import type { Tally } from './tally.js';
import type { TaskLogs } from './task-logs.js';
import type { Traces } from './traces.js';

/** One run of a worker. What few workers use is made when they ask for it. */
class Run implements TaskContext {
  extendAt: number;
  done: Promise<void> = Promise.resolve();
  private controller: AbortController | undefined;
  private reason: Error | undefined;
  private writer: ((line: string) => void) | undefined;

  constructor(
    readonly task: Task,
    readonly since: number,
    readonly responseTimeoutMs: number,
    private readonly logs: TaskLogs,
    private readonly traces: Traces,
    /** The trace of its workflow's start. */
    private readonly brought: string | undefined,
  ) {
    this.extendAt = responseTimeoutMs > 0 ? since + responseTimeoutMs / 3 : Infinity;
  }

  get traceparent(): string | undefined {
    return this.traces.ofTask(this.task, this.brought);
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.reason !== undefined) this.controller.abort(this.reason);
    }
    return this.controller.signal;
  }

  // An arrow function, because workers take it out of its context.
  readonly log = (line: string): void => {
    this.writer ??= this.logs.writer(this.task.taskId);
    this.writer(line);
  };

  get isAborted(): boolean {
    return this.reason !== undefined;
  }

  abort(reason: string): void {
    this.reason ??= new Error(reason);
    this.controller?.abort(this.reason);
  }
}

type Report = {
  status: 'COMPLETED' | 'FAILED' | 'FAILED_WITH_TERMINAL_ERROR' | 'IN_PROGRESS';
  outputData: Task['outputData'];
  reasonForIncompletion?: string;
  callbackAfterSeconds?: number;
};

const MAX_REASON_CHARACTERS = 10_000;
const MAX_REMEMBERED = 2_000;
const UNREACHABLE_SECONDS = 5;

interface Parts {
  readonly clock: Clock;
  readonly slots: Slots;
  readonly logs: TaskLogs;
  readonly committer: () => Committer;
  readonly crash: CrashPoints;
  readonly log: RuntimeLog;
  readonly tally: Tally;
  readonly traces: Traces;
  readonly incarnation: () => string;
  /** Fetches what a task's row refers to; absent where every value is kept in its row. */
  readonly whole?: ((task: Task) => Promise<Task>) | undefined;
  readonly responseTimeoutMs: (task: Task) => number;
  /** A slot is free and tasks of this type may wait. */
  readonly freed: (taskType: string) => void;
  /** Resolves once every claim of this type that was sent up to now is answered. */
  readonly answered: (taskType: string) => Promise<void>;
  /** A run began whose lease needs a sign of life at this time. */
  readonly started: (extendAt: number) => void;
}

/** Runs tasks that this process holds in its workers, one slot each, and reports how they ended. */
export class Runner {
  private readonly runs = new Map<string, Run>();
  /** Attempts whose run is over and whose report is on its way: it may wait long for the database or a store. */
  private readonly reporting = new Map<string, number>();
  private suspects: ReadonlySet<string> = new Set();
  /** Attempts that ended lately: a claim that was on its way when its task ended must not run it. */
  private readonly over = new Set<string>();

  constructor(private readonly parts: Parts) {}

  /** The slot is reserved already; it is given back when the run ends. `brought`: its workflow's trace. */
  start(task: Task, brought?: string): void {
    const worker = this.parts.slots.worker(task.taskType);
    if (worker === undefined) throw new Error(`No worker for ${task.taskType} in this process`);
    if (this.over.has(task.taskId)) {
      this.parts.slots.free(task.taskType);
      this.parts.freed(task.taskType);
      return;
    }
    // An older lease of the same attempt that still runs here was lost meanwhile.
    if (this.runs.has(task.taskId)) this.abort([task.taskId], 'The task was handed out again');
    const { clock, logs, traces, responseTimeoutMs } = this.parts;
    const run = new Run(task, clock.now(), responseTimeoutMs(task), logs, traces, brought);
    this.runs.set(task.taskId, run);
    run.done = this.run(worker, run);
    this.parts.started(run.extendAt);
  }

  private async run(worker: TaskWorker, run: Run): Promise<void> {
    const { task } = run;
    const report = await this.execute(worker, run);
    this.parts.slots.free(task.taskType);
    if (this.runs.get(task.taskId) === run) this.runs.delete(task.taskId);
    if (run.isAborted) {
      this.parts.freed(task.taskType);
      return;
    }
    await this.parts.crash.reach('run:before-report');
    // The report's own commit hands the next task to the freed slot, unless others wait longer.
    const reported = this.reportHeld(task, report);
    if (this.parts.slots.isBacklogged(task.taskType)) this.parts.freed(task.taskType);
    if (this.parts.logs.hasWaiting) void this.parts.logs.flush();
    await reported;
  }

  private async execute(worker: TaskWorker, run: Run): Promise<Report> {
    const { task } = run;
    try {
      const { whole } = this.parts;
      return toReport(await worker.execute(whole === undefined ? task : await this.fetch(task, whole), run));
    } catch (error) {
      if (error instanceof NotHere) {
        // Before the report, whose commit would hand it to this process again.
        this.parts.slots.refuse(task, this.parts.clock.now());
        this.parts.log.debug({ ...factsOf(task), why: error.message }, 'a task was left to other processes');
        // A claim that is on its way knows nothing of it, and would take the task again as soon as it waits.
        await this.parts.answered(task.taskType);
      } else if (!run.isAborted) this.parts.log.warn({ err: error, ...factsOf(task) }, 'a worker threw');
      return reportOf(error, task);
    }
  }

  /** A task whose values are out of reach waits; that is no failure of its own. */
  private async fetch(task: Task, whole: NonNullable<Parts['whole']>): Promise<Task> {
    try {
      return await whole(task);
    } catch (error) {
      throw new RetryLater(UNREACHABLE_SECONDS, `Its values could not be fetched: ${String(error)}`, {
        cause: error,
      });
    }
  }

  /** Until it is answered the lease counts as used: handed to somebody else, the work would be done twice. */
  private async reportHeld(task: Task, report: Report): Promise<void> {
    const { taskId } = task;
    this.reporting.set(taskId, (this.reporting.get(taskId) ?? 0) + 1);
    await this.report(task, report);
    const left = (this.reporting.get(taskId) ?? 1) - 1;
    if (left > 0) this.reporting.set(taskId, left);
    else this.reporting.delete(taskId);
  }

  private async report(task: Task, report: Report): Promise<void> {
    try {
      const outcome = await this.parts.committer().submit(
        task.workflowInstanceId,
        {
          kind: 'command',
          lease: task.pollCount,
          command: {
            kind: 'updateTask',
            commandId: `run:${task.taskId}:${task.pollCount}`,
            actor: { kind: 'worker', id: this.parts.incarnation() },
            taskId: task.taskId,
            workerId: this.parts.incarnation(),
            ...report,
          },
        },
        { internal: true },
      );
      if (outcome.kind === 'rejected') {
        this.parts.tally.lateRuns += 1;
        const { reason } = outcome.rejection;
        this.parts.log.debug({ ...factsOf(task), reason }, 'a run ended too late to count');
      }
    } catch (error) {
      // The lease stays ours without a run behind it; the next reconciliation hands the task back.
      this.parts.log.error(
        { ...factsOf(task), err: error },
        'a run could not be reported; it will be repeated',
      );
    }
  }

  /** These attempts are over; runs of them are told to leave. */
  ended(taskIds: readonly string[]): void {
    this.abort(taskIds, 'The task is over');
    for (const taskId of taskIds) this.over.add(taskId);
    for (const taskId of this.over) {
      if (this.over.size <= MAX_REMEMBERED) break;
      this.over.delete(taskId);
    }
  }

  /** Their attempts are over, or held by somebody else: workers are told to leave, and nothing is reported. */
  abort(taskIds: Iterable<string>, reason: string): void {
    for (const taskId of taskIds) {
      const run = this.runs.get(taskId);
      if (run === undefined) continue;
      this.runs.delete(taskId);
      run.abort(reason);
    }
  }

  abortAll(reason: string): void {
    this.abort([...this.runs.keys()], reason);
  }

  get size(): number {
    return this.runs.size;
  }

  /** Keeps the leases of long runs fresh, so that no response time-out takes a task from a process that lives. */
  extend(now: number): number {
    let next = Infinity;
    for (const run of this.runs.values()) {
      const isDue = run.extendAt <= now;
      if (isDue) run.extendAt = now + run.responseTimeoutMs / 3;
      next = Math.min(next, run.extendAt);
      if (!isDue) continue;
      const { task } = run;
      this.parts
        .committer()
        .submit(
          task.workflowInstanceId,
          { kind: 'extend', taskIds: [task.taskId], lease: task.pollCount },
          { internal: true },
        )
        .catch((error: unknown) => {
          this.parts.log.warn({ err: error, taskId: task.taskId }, 'a lease could not be extended');
        });
    }
    return next;
  }

  /** Ids of the runs that began before `moment`. */
  startedBefore(moment: number): ReadonlySet<string> {
    return new Set([...this.runs.values()].filter((run) => run.since < moment).map((run) => run.task.taskId));
  }

  /**
   * Compares the runs with the leases that the store knows. Runs without a lease stop. @returns leases without a run or
   * a report, seen so twice in a row, which nobody will ever report: they have to be released.
   */
  reconcile(candidates: ReadonlySet<string>, held: ReadonlySet<string>): readonly string[] {
    const lost = [...candidates].filter((taskId) => !held.has(taskId) && this.runs.has(taskId));
    this.parts.tally.lostRuns += lost.length;
    this.abort(lost, 'The lease was lost');
    const isUsed = (taskId: string): boolean => this.runs.has(taskId) || this.reporting.has(taskId);
    const idle = new Set([...held].filter((taskId) => !isUsed(taskId)));
    const forgotten = [...idle].filter((taskId) => this.suspects.has(taskId));
    this.parts.tally.forgottenLeases += forgotten.length;
    this.suspects = idle;
    return forgotten;
  }

  /** Resolves when no run is left or at the deadline. @returns the tasks that still run. */
  async drain(deadline: number): Promise<readonly string[]> {
    const ended = Promise.all([...this.runs.values()].map(({ done }) => done));
    const timer = new AbortController();
    await Promise.race([ended, this.parts.clock.sleepUntil(deadline, timer.signal)]);
    timer.abort();
    return [...this.runs.keys()];
  }
}

const factsOf = ({ workflowInstanceId: workflowId, taskId, taskType }: Task) => ({
  workflowId,
  taskId,
  taskType,
});

function toReport(outcome: TaskOutcome): Report {
  const report = withoutCheck(outcome);
  const [problem] = payloadProblems(report.outputData, 'output');
  if (problem === undefined) return report;
  return {
    status: 'FAILED_WITH_TERMINAL_ERROR',
    outputData: {},
    reasonForIncompletion: `The worker's output cannot be stored: ${problem.path} ${problem.message}`,
  };
}

function withoutCheck(outcome: TaskOutcome): Report {
  switch (outcome.kind) {
    case 'completed':
      return { status: 'COMPLETED', outputData: outcome.output };
    case 'failed':
      return {
        status: outcome.terminal ? 'FAILED_WITH_TERMINAL_ERROR' : 'FAILED',
        outputData: outcome.output ?? {},
        reasonForIncompletion: storableText(outcome.reason, MAX_REASON_CHARACTERS),
      };
    case 'inProgress':
      return {
        status: 'IN_PROGRESS',
        outputData: outcome.output ?? {},
        callbackAfterSeconds: outcome.callbackAfterSeconds,
      };
    case 'parked':
      return { status: 'IN_PROGRESS', outputData: outcome.output ?? {} };
    default:
      return outcome satisfies never;
  }
}

function reportOf(error: unknown, task: Task): Report {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const reasonForIncompletion = storableText(message, MAX_REASON_CHARACTERS);
  if (error instanceof RetryLater || error instanceof NotHere) {
    return {
      status: 'IN_PROGRESS',
      outputData: task.outputData,
      reasonForIncompletion,
      callbackAfterSeconds: error instanceof NotHere ? 0 : error.afterSeconds,
    };
  }
  const status = error instanceof TerminalError ? 'FAILED_WITH_TERMINAL_ERROR' : 'FAILED';
  return { status, outputData: {}, reasonForIncompletion };
}
