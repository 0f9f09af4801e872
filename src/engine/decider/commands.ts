import type { Instant } from '../../clock.js';
import type { Command, RejectedCommand } from '../model/command.js';
import { isSuccessfulTask, isTerminalTask } from '../model/execution.js';
import type { Task } from '../model/execution.js';
import { endWorkflow } from './finish.js';
import { isWithin } from './json-size.js';
import { inside, loopPath } from './loop-path.js';
import { isLeftBehind } from './loops.js';
import { itemsOf, progressOf } from './mappers/do-while.js';
import { isForPeople } from './mappers/index.js';
import { evaluated } from './needs.js';
import type { Step } from './plan.js';
import { schedule } from './schedule.js';
import {
  endByChild,
  isOutdated,
  knownRetry,
  retryTime,
  stopChild,
  tellParentOfRetry,
  waitsAgain,
} from './sub-workflows.js';
import type { Transition } from './transition.js';

type UpdateTask = Extract<Command, { kind: 'updateTask' }>;

// A year: what is to come back later than that is not coming back.
const MAX_CALLBACK_SECONDS = 365 * 86_400;

/** Applies what a command says by itself; its consequences are `settle`'s. */
export function apply(t: Transition, command: Command): void {
  const { status } = t.workflow;
  const reject = (reason: RejectedCommand['reason'], message: string): void => {
    t.rejected.push({ commandId: command.commandId, reason, message });
  };
  const { workflowId } = t.workflow;
  switch (command.kind) {
    case 'start':
    case 'wake':
      return;
    case 'updateTask':
      updateTask(t, command, reject);
      return;
    case 'pause':
      if (t.isEnded)
        reject('conflict', `Workflow ${workflowId} has ended with ${status} and cannot be paused.`);
      else t.patchWorkflow({ status: 'PAUSED' });
      return;
    case 'resume':
      if (status === 'PAUSED')
        t.patchWorkflow({
          status: 'RUNNING',
          lastRetriedTime: Math.max(t.now, t.workflow.lastRetriedTime ?? 0),
        });
      else reject('conflict', `Workflow ${workflowId} is not PAUSED but ${status} and cannot be resumed.`);
      return;
    case 'terminate':
      if (status === 'COMPLETED')
        reject('conflict', `Workflow ${workflowId} is COMPLETED and cannot be terminated.`);
      // One that has failed or was terminated stays as it ended.
      else if (!t.isEnded)
        endWorkflow(t, { status: 'TERMINATED', reason: command.reason, runsFailureWorkflow: false });
      return;
    case 'retry':
      retry(t, reject);
      return;
    case 'fail':
      if (!t.isEnded) endWorkflow(t, { status: 'FAILED', reason: command.reason, runsFailureWorkflow: true });
      return;
    case 'evaluated':
      evaluated(t, command, reject);
      return;
    case 'childEnded':
      childEnded(t, command, reject);
      return;
    case 'childRetried':
      childRetried(t, command, reject);
      return;
    default:
      command satisfies never;
  }
}

type Reject = (reason: RejectedCommand['reason'], message: string) => void;

function updateTask(t: Transition, command: UpdateTask, reject: Reject): void {
  const position = t.index.positionOf(command.taskId);
  if (position === undefined) {
    reject('not_found', `Workflow ${t.workflow.workflowId} has no task ${command.taskId}.`);
    return;
  }
  const task = t.tasks[position]!;
  if (command.asWorker === true && isForPeople(task.taskType)) {
    const remedy = 'Decide its review, or report it with the role operator or admin.';
    reject('forbidden', `Task ${task.taskId} (${task.taskType}) is for people, not for workers. ${remedy}`);
    return;
  }
  if (isTerminalTask(task.status) || t.isEnded) {
    const ended = isTerminalTask(task.status)
      ? `Task ${task.taskId} has already ended with ${task.status}`
      : `Workflow ${t.workflow.workflowId} has already ended with ${t.workflow.status}`;
    reject('late', `${ended}; the update was not applied.`);
    return;
  }
  const workerId = command.workerId ?? task.workerId;
  if (!isWithin(command.outputData, t.limits.taskMax)) {
    t.patchTask(position, {
      status: 'FAILED_WITH_TERMINAL_ERROR',
      reasonForIncompletion: `The task's output is larger than ${t.limits.taskMax / 1024} KB or nested too deeply; store it elsewhere and report a reference`,
      endTime: t.now,
      queued: false,
      workerId,
    });
    return;
  }
  const reported = {
    outputData: command.outputData,
    reasonForIncompletion: command.reasonForIncompletion ?? task.reasonForIncompletion,
    workerId,
    // A report is a sign of life also when it says nothing new.
    updateTime: t.now,
  };
  if (command.status === 'IN_PROGRESS') {
    t.patchTask(position, { ...reported, ...progress(t, task, command.callbackAfterSeconds) });
  } else {
    t.patchTask(position, { ...reported, status: command.status, endTime: t.now, queued: false });
  }
}

/** IN_PROGRESS: to be handed out again in a while, or parked until somebody completes it. */
function progress(t: Transition, task: Task, callbackAfterSeconds: number | undefined): Partial<Task> {
  const handOut = t.index.stepOf(task)?.mapper?.handOut ?? 'never';
  if (handOut === 'never') return {};
  if (callbackAfterSeconds === undefined) {
    return {
      status: 'IN_PROGRESS',
      queued: false,
      startTime: task.startTime ?? t.now,
      callbackAfterSeconds: 0,
    };
  }
  const seconds = Math.min(Math.max(callbackAfterSeconds, 0) || 0, MAX_CALLBACK_SECONDS);
  return {
    status: handOut === 'leased' ? 'SCHEDULED' : 'IN_PROGRESS',
    queued: true,
    callbackAfterSeconds: Math.ceil(seconds),
    dueAt: t.now + Math.round(seconds * 1000),
  };
}

function childEnded(t: Transition, command: Extract<Command, { kind: 'childEnded' }>, reject: Reject): void {
  const position = t.index.positionOf(command.taskId);
  const task = position === undefined ? undefined : t.tasks[position];
  if (position === undefined || task?.subWorkflowId !== command.childWorkflowId) {
    const { workflowId } = t.workflow;
    reject(
      'not_found',
      `Workflow ${workflowId} has no task ${command.taskId} with the child ${command.childWorkflowId}.`,
    );
  } else if (isTerminalTask(task.status) || t.isEnded || isOutdated(task, command)) {
    reject('late', `Task ${task.taskId} does not wait for this end of its child any more.`);
  } else {
    endByChild(t, position, command);
  }
}

const FAILED_STATUSES: ReadonlySet<string> = new Set([
  'FAILED',
  'FAILED_WITH_TERMINAL_ERROR',
  'TIMED_OUT',
  'CANCELED',
]);

/** Sets a failed workflow going again: every step whose last attempt failed or was cancelled gets a new one. */
function retry(t: Transition, reject: Reject): void {
  const { workflow } = t;
  if (!t.isEnded || workflow.status === 'COMPLETED') {
    reject(
      'conflict',
      `Workflow ${workflow.workflowId} is ${workflow.status}; only one that failed can be retried.`,
    );
    return;
  }
  const failed = failedRows(t);
  if (failed.length === 0 && workflow.status !== 'TIMED_OUT') {
    const remedy = 'Start it anew to attempt the whole workflow again.';
    reject('conflict', `Workflow ${workflow.workflowId} has no task that could be retried. ${remedy}`);
    return;
  }
  goOn(t, failed, undefined);
}

type ChildRetried = Extract<Command, { kind: 'childRetried' }>;

/**
 * A child was retried by itself. A workflow that ended because of it, or with it, goes on and waits for it again; what
 * else failed or was cancelled there gets a new attempt, as in a retry of its own.
 */
function childRetried(t: Transition, command: ChildRetried, reject: Reject): void {
  const { taskId, childWorkflowId, retriedAt } = command;
  const position = t.index.positionOf(taskId);
  const task = position === undefined ? undefined : t.tasks[position];
  if (position === undefined || task?.subWorkflowId !== childWorkflowId) {
    const { workflowId } = t.workflow;
    reject('not_found', `Workflow ${workflowId} has no task ${taskId} with the child ${childWorkflowId}.`);
  } else if (retriedAt <= (task.endTime ?? knownRetry(task))) {
    reject('late', `Task ${taskId} knows better how its child is.`);
  } else if (isSuccessfulTask(task.status) || (task.executed && !t.isEnded)) {
    reject('late', `Task ${taskId} was passed over without its child, which goes on by itself.`);
  } else if (!isTerminalTask(task.status)) {
    // Its end has yet to be told, and is outdated by then.
    t.patchTask(position, waitsAgain(task, retriedAt));
  } else if (t.isEnded && t.workflow.status !== 'COMPLETED' && isAmong(failedRows(t), position)) {
    goOn(t, failedRows(t), { position, retriedAt });
  } else if (!t.isEnded && !task.retried && !isLeftBehind(t, task)) {
    t.patchTask(position, waitsAgain(task, retriedAt));
  } else {
    stopChild(t, task, childWorkflowId);
  }
}

const isAmong = (rows: readonly FailedRow[], position: number): boolean =>
  rows.some((row) => row.position === position);

/** Sets these rows going again, and the workflow with them; `child` is one whose child goes on by itself. */
function goOn(
  t: Transition,
  failed: readonly FailedRow[],
  child: { readonly position: number; readonly retriedAt: Instant } | undefined,
): void {
  const lastRetriedTime = retryTime(t);
  t.patchWorkflow({
    status: 'RUNNING',
    lastRetriedTime,
    reasonForIncompletion: undefined,
    failedReferenceTaskNames: [],
    output: {},
    endTime: undefined,
  });
  const goesOn = {
    status: 'IN_PROGRESS',
    executed: false,
    reasonForIncompletion: undefined,
    endTime: undefined,
  } as const;
  const loops = new Set(failed.filter((row) => isLoopUnderWay(t, row)));
  // Before what is in them, which is decided by whether they go on.
  for (const { task, position } of loops)
    t.patchTask(position, { ...goesOn, outputData: progressOf(task.iteration, itemsOf(task)) });
  if (child !== undefined) {
    const { position, retriedAt } = child;
    t.patchTask(position, waitsAgain(t.tasks[position]!, retriedAt));
  }
  const anew = failed.filter((row) => !isJoin(row) && !loops.has(row) && row.position !== child?.position);
  for (const { task, position, step } of anew) {
    t.patchTask(position, { retried: true });
    schedule(t, step, loopPath(task.referenceTaskName), { of: task, delayMs: 0, startsAnew: true });
  }
  // After the tasks, since what a JOIN waits for are their new attempts.
  for (const { position } of failed.filter(isJoin)) t.patchTask(position, { ...goesOn, outputData: {} });
  t.index.requeue(t.tasks);
  tellParentOfRetry(t, lastRetriedTime);
}

interface FailedRow {
  readonly task: Task;
  readonly position: number;
  readonly step: Step;
}

const isJoin = ({ task }: FailedRow): boolean => task.taskType === 'JOIN';

/** One that failed before its first iteration is attempted anew, like any other task. */
function isLoopUnderWay(t: Transition, { task, step: { body } }: FailedRow): boolean {
  if (body === undefined) return false;
  const path = inside(loopPath(task.referenceTaskName), task.iteration);
  return t.index.row(body.task.taskReferenceName + path) !== undefined;
}

/** The rows that a retry sets going again. What is in a loop goes on only with the loop. */
function failedRows(t: Transition): readonly FailedRow[] {
  const loops = new Set<number>();
  return t.tasks.flatMap((task, position): FailedRow[] => {
    const step = t.index.stepOf(task);
    if (task.retried || !FAILED_STATUSES.has(task.status) || step === undefined) return [];
    const loop = t.index.loopAround(task);
    if (loop !== undefined && !loops.has(loop)) return [];
    const row = { task, position, step };
    if (isLoopUnderWay(t, row)) loops.add(position);
    return [row];
  });
}
