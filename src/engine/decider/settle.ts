import { isSuccessfulTask, isTerminalTask } from '../model/execution.js';
import type { Task } from '../model/execution.js';
import type { Json, JsonObject } from '../model/json.js';
import { expire } from './expire.js';
import { completeWorkflow, endWorkflow } from './finish.js';
import { isWithin, jsonBytes } from './json-size.js';
import { innermost, loopPath } from './loop-path.js';
import { advanceLoop, cancelInside, endLoop } from './loops.js';
import { terminationStatus } from './mappers/terminate.js';
import type { Step } from './plan.js';
import { afterFailure, retryDelayMs } from './retries.js';
import { schedule } from './schedule.js';
import type { Transition } from './transition.js';
import { taskIdOf } from './task-id.js';

/** Draws every consequence of what is known, until nothing more follows or the budget of system tasks is used up. */
export function settle(t: Transition): void {
  for (;;) {
    expire(t);
    if (t.isEnded) {
      for (const position of t.index.open()) {
        t.patchTask(position, { status: 'CANCELED', endTime: t.now, queued: false });
      }
      return;
    }
    if (t.workflow.status === 'PAUSED') return;
    if (t.tasks.length === 0 && t.plan.first !== undefined) schedule(t, t.plan.first, '');
    while (!t.isEnded && t.hasAgenda()) {
      if (!takeNext(t)) return;
    }
    if (t.isEnded) continue;
    if (t.index.openCount === 0) completeWorkflow(t);
    else if (t.index.waitingCount === t.index.openCount) failStuck(t);
    else if ((t.index.nextAlarm()?.at ?? Infinity) > t.now) return;
  }
}

/**
 * Draws the consequences of the first row on the agenda. The row leaves the agenda by having them drawn, so what ends a
 * workflow stays on it, as it would be on one built from the rows.
 *
 * @returns false when the budget does not allow it.
 */
function takeNext(t: Transition): boolean {
  const position = t.index.peekAgenda()!;
  let task = t.tasks[position]!;
  const step = t.index.stepOf(task);
  if (step?.mapper?.isWork !== true) {
    if (t.budget <= 0) return false;
    t.budget -= 1;
  }
  if (!isTerminalTask(task.status)) {
    if (step !== undefined && task.taskType === 'DO_WHILE') {
      advanceLoop(t, position, task, step);
      return true;
    }
    task = t.patchTask(position, joinResult(t, task));
  }
  if (task.taskType === 'DO_WHILE') cancelInside(t, task);
  if (!isSuccessfulTask(task.status) && !goesOn(t, position, task, step)) return true;

  task = t.patchTask(position, { executed: true });
  t.index.settled(task);
  if (!isSuccessfulTask(task.status) && failsLoop(t, task)) return true;
  if (task.taskType === 'TERMINATE' && isSuccessfulTask(task.status)) terminateBy(t, task);
  else scheduleAfter(t, step, task);
  return true;
}

function scheduleAfter(t: Transition, step: Step | undefined, task: Task): void {
  const path = loopPath(task.referenceTaskName);
  for (const next of successors(step, task))
    if (t.index.row(next.task.taskReferenceName + path) === undefined) schedule(t, next, path);
}

/** A permissive step lets the steps beside it go on, but not the loop that it is in. */
function failsLoop(t: Transition, task: Task): boolean {
  const position = t.index.loopAround(task);
  if (position === undefined) return false;
  const reason = task.reasonForIncompletion ?? `${task.referenceTaskName} ended with ${task.status}`;
  endLoop(t, position, t.tasks[position]!, { status: 'FAILED', reason });
  return true;
}

/** The steps that a completed one leads to. */
function successors(step: Step | undefined, task: Task): readonly Step[] {
  if (step === undefined) return [];
  const after = step.next === undefined ? [] : [step.next];
  if (step.branches.size === 0) return after;
  if (step.mapper?.chosenBranch === undefined) return [...step.branches.values(), ...after];
  const chosen = step.branches.get(step.mapper.chosenBranch(task) ?? '');
  return chosen === undefined ? after : [chosen];
}

/** After an attempt that ended badly: whether the workflow goes on past it. Otherwise it is retried or the end. */
function goesOn(t: Transition, position: number, task: Task, step: Step | undefined): boolean {
  const { optional, permissive } = task.workflowTask;
  const taskDef = t.taskDefOf(task.workflowTask);
  const after = afterFailure(task, taskDef, step?.mapper?.isWork === true, t.now);
  if (after.kind === 'retry' && step !== undefined) {
    const path = loopPath(task.referenceTaskName);
    const nextId = taskIdOf(t.workflow, task.referenceTaskName, innermost(path), task.retryCount + 1);
    const delayMs = retryDelayMs(task, taskDef, nextId);
    t.patchTask(position, { retried: true });
    schedule(t, step, path, { of: task, delayMs, startsAnew: false });
    return false;
  }
  if (after.kind === 'giveUp' && (after.final || !(optional || permissive))) {
    endWorkflow(t, {
      status: after.status,
      reason: after.reason,
      failedTask: task,
      runsFailureWorkflow: true,
    });
    return false;
  }
  if (optional) t.patchTask(position, { status: 'COMPLETED_WITH_ERRORS' });
  return true;
}

/** How a JOIN ends whose tasks have all ended. */
function joinResult(t: Transition, join: Task): Partial<Task> {
  const awaited = join.workflowTask.joinOn
    .map((ref) => t.latest(t.index.rowName(ref, loopPath(join.referenceTaskName))))
    .filter((task): task is Task => task !== undefined);
  const failed = awaited.filter(
    ({ status, workflowTask }) => !isSuccessfulTask(status) && !workflowTask.optional,
  );
  const joined = joinedOutputs(awaited, t.limits.taskMax);
  const ended = { endTime: t.now, outputData: joined ?? {} };
  if (failed.length > 0) {
    const status = failed.every((task) => task.status === 'CANCELED') ? 'CANCELED' : 'FAILED';
    const reasons = failed
      .map(({ reasonForIncompletion }) => reasonForIncompletion ?? '')
      .filter((r) => r !== '');
    return { ...ended, status, reasonForIncompletion: reasons.join(' ') };
  }
  if (joined === undefined) {
    const reasonForIncompletion = `The joined outputs are larger than ${t.limits.taskMax / 1024} KB`;
    return { ...ended, status: 'FAILED_WITH_TERMINAL_ERROR', reasonForIncompletion };
  }
  const hasErrors = awaited.some(
    ({ status, workflowTask }) => workflowTask.optional && status === 'COMPLETED_WITH_ERRORS',
  );
  return { ...ended, status: hasErrors ? 'COMPLETED_WITH_ERRORS' : 'COMPLETED' };
}

/** The outputs by their tasks' names; `undefined` when they are too large. Past that point none is looked into. */
function joinedOutputs(awaited: readonly Task[], maxBytes: number): JsonObject | undefined {
  const outputs: [string, Json][] = [];
  let left = maxBytes;
  for (const { referenceTaskName, outputData } of awaited) {
    if (Object.keys(outputData).length === 0) continue;
    left -= jsonBytes(outputData, left);
    if (left < 0) return undefined;
    outputs.push([referenceTaskName, outputData]);
  }
  const joined: JsonObject = Object.fromEntries(outputs);
  return isWithin(joined, maxBytes) ? joined : undefined;
}

function terminateBy(t: Transition, task: Task): void {
  const status = terminationStatus(task.inputData) ?? 'FAILED';
  const given = task.inputData['terminationReason'];
  const reason =
    typeof given === 'string' && given.trim() !== ''
      ? given
      : `Workflow is ${status} by TERMINATE task: ${task.taskId}`;
  endWorkflow(t, {
    status,
    reason,
    output: task.outputData,
    failedTask: status === 'COMPLETED' ? undefined : task,
    runsFailureWorkflow: status !== 'COMPLETED',
  });
}

/** Only JOINs, and loops around them, are open and none can ever be ready: say so instead of waiting for ever. */
function failStuck(t: Transition): void {
  const joins = t.index
    .open()
    .map((position) => t.tasks[position]!)
    .filter(({ taskType }) => taskType === 'JOIN')
    .map(({ referenceTaskName }) => referenceTaskName);
  const reason = `Nothing is left to run, but these JOINs still wait for tasks that were never reached: ${joins.join(', ')}`;
  endWorkflow(t, { status: 'FAILED', reason, runsFailureWorkflow: true });
}
