import type { Instant } from '../../clock.js';
import { InvalidInput } from '../../errors.js';
import type { Command } from '../model/command.js';
import type { WorkflowDef } from '../model/definition.js';
import { isTerminalWorkflow } from '../model/execution.js';
import type { Task, TaskStatus, Workflow } from '../model/execution.js';
import type { Json, JsonObject } from '../model/json.js';
import { MAX_WORKFLOW_DEPTH } from './limits.js';
import { parseWorkflowDef } from './parse-definition.js';
import type { Transition } from './transition.js';
import { uuid5 } from '../../uuid5.js';

/** The child of one attempt: another attempt has another child, the same one always the same. */
export const childIdOf = (parentId: string, taskId: string): string =>
  uuid5(parentId, `subWorkflow/${taskId}`);

/** Starts the child of a SUB_WORKFLOW row whose time has come. */
export function startIfDue(t: Transition, position: number): void {
  const task = t.tasks[position]!;
  if (task.status !== 'SCHEDULED' || task.dueAt > t.now) return;
  const child = childOf(t, task);
  if (typeof child === 'string') {
    t.patchTask(position, {
      status: 'FAILED_WITH_TERMINAL_ERROR',
      reasonForIncompletion: child,
      endTime: t.now,
    });
    return;
  }
  const { workflow } = t;
  const subWorkflowId = childIdOf(workflow.workflowId, task.taskId);
  t.patchTask(position, {
    status: 'IN_PROGRESS',
    startTime: t.now,
    subWorkflowId,
    outputData: { subWorkflowId },
  });
  t.addEffect({
    kind: 'startWorkflow',
    workflowId: subWorkflowId,
    ...child,
    input: inputOf(task),
    correlationId: workflow.correlationId,
    priority: workflow.priority,
    parent: { workflowId: workflow.workflowId, taskId: task.taskId, depth: workflow.depth },
  });
}

interface Child {
  readonly name: string;
  readonly version?: number | undefined;
  readonly definition?: WorkflowDef | undefined;
}

/** What to start, or why nothing can be started. */
function childOf({ workflow }: Transition, task: Task): Child | string {
  const { inputData } = task;
  if (workflow.depth >= MAX_WORKFLOW_DEPTH)
    return `Sub-workflows may be at most ${MAX_WORKFLOW_DEPTH} levels deep; this one would be deeper`;
  const given = inputData['subWorkflowDefinition'];
  if (given !== undefined) {
    try {
      const definition = definitionOf(task, given);
      return { name: definition.name, version: definition.version, definition };
    } catch (error) {
      if (error instanceof InvalidInput)
        return `The sub-workflow's definition cannot be used. ${error.message}`;
      throw error;
    }
  }
  const name = inputData['subWorkflowName'];
  if (typeof name !== 'string' || name.trim() === '' || name.length > 255)
    return `The name of the sub-workflow, ${task.workflowTask.subWorkflowParam?.name}, gives no name`;
  const version = inputData['subWorkflowVersion'];
  return { name, version: typeof version === 'number' ? version : undefined };
}

/** One that is part of the definition was checked with it. */
function definitionOf(task: Task, given: Json): WorkflowDef {
  const own = task.workflowTask.subWorkflowParam?.workflowDefinition;
  return own === undefined || typeof own === 'string' ? parseWorkflowDef(given) : own;
}

/** As in Conductor, a step without inputs hands on what it knows itself. */
function inputOf({ inputData }: Task): JsonObject {
  const input = inputData['workflowInput'] as JsonObject;
  return Object.keys(input).length > 0 ? input : inputData;
}

const STATUS_AFTER: Readonly<Record<ChildEnded['status'], TaskStatus>> = {
  COMPLETED: 'COMPLETED',
  FAILED: 'FAILED',
  TIMED_OUT: 'TIMED_OUT',
  TERMINATED: 'CANCELED',
};

type ChildEnded = Extract<Command, { kind: 'childEnded' }>;

/** What a child's end means to the row that waits for it. */
export function endByChild(t: Transition, position: number, command: ChildEnded): void {
  const { childWorkflowId, status, output, reason } = command;
  const name = t.tasks[position]!.inputData['subWorkflowName'];
  t.endByChild(position, {
    status: STATUS_AFTER[status],
    outputData: { ...output, subWorkflowId: childWorkflowId },
    reasonForIncompletion:
      status === 'COMPLETED'
        ? undefined
        : `Sub workflow ${typeof name === 'string' && name !== '' ? `${name} ` : ''}${childWorkflowId} ended with ${status}; failure reason: ${reason ?? null}`,
    endTime: command.endTime,
  });
}

/**
 * When the child of a row under way was retried, as far as its parent knows; 0 for never. It stands in the row's two
 * times, which are in this order in no other row that has started.
 */
export const knownRetry = ({ startTime, dueAt }: Task): Instant =>
  startTime !== undefined && dueAt > startTime ? dueAt : 0;

/** The end is of a run that the child has left behind: it was retried since. */
export const isOutdated = (task: Task, { endTime }: ChildEnded): boolean => endTime < knownRetry(task);

/** The row of a child that was set going again: it waits for its end once more, and the clock of its attempt starts anew. */
export const waitsAgain = ({ subWorkflowId }: Task, retriedAt: Instant): Partial<Task> => ({
  status: 'IN_PROGRESS',
  executed: false,
  outputData: subWorkflowId === undefined ? {} : { subWorkflowId },
  reasonForIncompletion: undefined,
  endTime: undefined,
  startTime: retriedAt - 1,
  dueAt: retriedAt,
});

/** A child that its parent neither waits for nor passed over as an optional one. */
export function stopChild(t: Transition, { taskId, referenceTaskName }: Task, workflowId: string): void {
  const parent = t.workflow.workflowId;
  const reason = `Parent workflow ${parent} does not wait for it any more in ${referenceTaskName}; retry the parent instead`;
  t.addEffect({ kind: 'terminateChild', workflowId, taskId, reason });
}

/** The time of a child's retry, in the order of what it says of itself even if no time has passed. */
export function retryTime({ now, workflow }: Transition): Instant {
  return workflow.parentWorkflowId === undefined ? now : Math.max(now, saidLast(workflow) + 1);
}

const saidLast = ({ endTime, lastRetriedTime }: Workflow): Instant =>
  Math.max(endTime ?? 0, lastRetriedTime ?? 0);

/** Tells the workflow that waited for this one that it goes on. */
export function tellParentOfRetry(t: Transition, retriedAt: Instant): void {
  const { workflowId: childWorkflowId, parentWorkflowId, parentWorkflowTaskId } = t.workflow;
  if (parentWorkflowId === undefined || parentWorkflowTaskId === undefined) return;
  t.addEffect({
    kind: 'childRetried',
    workflowId: parentWorkflowId,
    taskId: parentWorkflowTaskId,
    childWorkflowId,
    retriedAt,
  });
}

/** Tells the workflow that waits for this one how it ended. */
export function tellParent(t: Transition): void {
  const { workflow } = t;
  const { parentWorkflowId, parentWorkflowTaskId, status } = workflow;
  if (parentWorkflowId === undefined || parentWorkflowTaskId === undefined || !isTerminalWorkflow(status))
    return;
  t.addEffect({
    kind: 'childEnded',
    workflowId: parentWorkflowId,
    taskId: parentWorkflowTaskId,
    childWorkflowId: workflow.workflowId,
    status,
    output: workflow.output,
    reason: workflow.reasonForIncompletion,
    endTime: Math.max(t.now, workflow.lastRetriedTime ?? 0),
  });
}
