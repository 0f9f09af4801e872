import { isTerminalTask } from '../model/execution.js';
import type { Task } from '../model/execution.js';
import type { JsonObject } from '../model/json.js';
import type { TaskDef } from '../model/definition.js';
import { ExpressionTooLarge, compileObject, compileTemplate } from './expressions.js';
import type { ObjectTemplate, Scope } from './expressions.js';
import { isWithin } from './json-size.js';
import { innermost } from './loop-path.js';
import type { MappedTask } from './mappers/mapper.js';
import type { Step } from './plan.js';
import { scopeOf } from './scope.js';
import { startIfDue } from './sub-workflows.js';
import type { Transition } from './transition.js';
import { taskIdOf } from './task-id.js';

/** Why a row is made: a step's turn has come, or an earlier attempt is to be repeated. */
export interface Repetition {
  readonly of: Task;
  readonly delayMs: number;
  /** A new first attempt as far as the total time-out is concerned. */
  readonly startsAnew: boolean;
}

/**
 * Adds the row for a step: its first attempt, or the one after `repetition.of`.
 *
 * @param path the iterations of the loops that it is in.
 */
export function schedule(t: Transition, step: Step, path: string, repetition?: Repetition): void {
  const { workflow, now } = t;
  const { task } = step;
  const attempt = repetition === undefined ? 0 : repetition.of.retryCount + 1;
  const referenceTaskName = task.taskReferenceName + path;
  const iteration = innermost(path);
  const taskId = taskIdOf(workflow, referenceTaskName, iteration, attempt);
  const mapped = map(t, step, path, taskId);
  if (mapped.variables !== undefined) t.patchWorkflow({ variables: mapped.variables });
  const startsWhenDue = step.mapper?.startsWhenDue === true && mapped.status === 'SCHEDULED';
  const delayMs = mapped.queued === true || startsWhenDue ? (repetition?.delayMs ?? 0) : 0;
  const isDelayed = delayMs > 0;
  const firstScheduledTime =
    repetition === undefined || repetition.startsAnew ? now : repetition.of.firstScheduledTime;

  t.addTask({
    taskId,
    workflowInstanceId: workflow.workflowId,
    workflowType: workflow.workflowName,
    referenceTaskName,
    taskType: step.mapper?.rowType ?? task.name,
    taskDefName: step.mapper?.definitionName ?? task.name,
    status: mapped.status,
    workflowTask: task,
    inputData: mapped.inputData,
    outputData: mapped.outputData ?? {},
    seq: t.nextSeq,
    retryCount: attempt,
    retriedTaskId: repetition?.of.taskId,
    retried: false,
    executed: false,
    iteration: mapped.iteration ?? iteration,
    pollCount: 0,
    workerId: undefined,
    scheduledTime: now,
    startTime: mapped.status === 'SCHEDULED' ? undefined : now,
    updateTime: now,
    endTime: isTerminalTask(mapped.status) ? now : undefined,
    firstScheduledTime,
    callbackAfterSeconds: isDelayed ? Math.ceil(delayMs / 1000) : (mapped.callbackAfterSeconds ?? 0),
    reasonForIncompletion: mapped.reasonForIncompletion,
    queued: mapped.queued ?? false,
    dueAt: isDelayed ? now + delayMs : (mapped.dueAt ?? now),
    priority: workflow.priority,
  });
  if (startsWhenDue) startIfDue(t, t.tasks.length - 1);
}

function map(t: Transition, step: Step, path: string, taskId: string): MappedTask {
  const { workflow, now } = t;
  const { task, mapper } = step;
  const failed = (reasonForIncompletion: string): MappedTask => ({
    status: 'FAILED_WITH_TERMINAL_ERROR',
    inputData: {},
    reasonForIncompletion,
  });
  if (mapper === undefined) return failed(`Tasks of type ${task.type} are not supported yet`);
  const taskDef = t.taskDefOf(task);
  try {
    const scope = scopeOf(t, taskId);
    const input = inputOf(step, taskDef, scope);
    if (!isWithin(input, t.limits.taskMax)) throw new ExpressionTooLarge(t.limits.taskMax);
    const mapped = mapper.map({
      task,
      taskDef,
      taskId,
      input,
      workflow,
      now,
      limits: t.limits,
      resolve: (value) => compileTemplate(value)(scope),
      rowName: (ref) => t.index.rowName(ref, path),
    });
    if (mapped.inputData !== input && !isWithin(mapped.inputData, t.limits.taskMax))
      throw new ExpressionTooLarge(t.limits.taskMax);
    return mapped;
  } catch (error) {
    if (error instanceof ExpressionTooLarge) return failed(`Its input cannot be built. ${error.message}`);
    throw error;
  }
}

/** The step's own inputs; for a worker's task its definition's template fills what is missing or null. */
function inputOf(step: Step, taskDef: TaskDef, scope: Scope): JsonObject {
  const input = step.input(scope);
  if (step.mapper?.handOut !== 'leased' || Object.keys(taskDef.inputTemplate).length === 0) return input;
  const given = Object.entries(step.task.inputParameters).filter(([, value]) => value !== null);
  const isGiven = new Set(given.map(([key]) => key));
  const template = templateOf(taskDef.inputTemplate)(scope);
  const added = Object.entries(template).filter(([key]) => !isGiven.has(key));
  return { ...input, ...Object.fromEntries(added) };
}

const templates = new WeakMap<JsonObject, ObjectTemplate>();

function templateOf(inputTemplate: JsonObject): ObjectTemplate {
  let template = templates.get(inputTemplate);
  if (template === undefined) {
    template = compileObject(inputTemplate);
    templates.set(inputTemplate, template);
  }
  return template;
}
