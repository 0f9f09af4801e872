import type { Task, Workflow } from '../model/execution.js';
import type { Json, JsonObject } from '../model/json.js';
import { ExpressionTooLarge, compileTemplate } from './expressions.js';
import { isWithin } from './json-size.js';
import { scopeOf } from './scope.js';
import type { Transition } from './transition.js';
import { uuid5 } from '../../uuid5.js';

/** Where Conductor puts the id of the workflow that a failed one started. */
const OUTPUT_KEY = 'conductor.failure_workflow';
// A failure workflow may have one of its own; one that names itself must not go on for ever.
const MAX_FAILURE_DEPTH = 5;
const MAX_LISTED_TASKS = 1000;

/** Starts the definition's failure workflow, once per failure. The workflow has its final status already. */
export function startFailureWorkflow(t: Transition, failedTask: Task | undefined): void {
  const { workflow } = t;
  const { failureWorkflow, failureWorkflowVersion } = workflow.workflowDefinition;
  if (failureWorkflow === undefined || failureWorkflow.trim() === '') return;
  const name = nameOf(t, failureWorkflow);
  const problem =
    name === undefined
      ? `${failureWorkflow} gives no name`
      : depthOf(workflow.input) >= MAX_FAILURE_DEPTH
        ? `${MAX_FAILURE_DEPTH} failure workflows have failed in a row`
        : undefined;
  if (name === undefined || problem !== undefined) {
    const reason =
      `${workflow.reasonForIncompletion ?? ''} (Its failure workflow was not started: ${problem}.)`.trim();
    t.patchWorkflow({ reasonForIncompletion: reason });
    return;
  }
  // A retried workflow may fail again, and that is another failure.
  const workflowId = uuid5(
    workflow.workflowId,
    `${workflow.runEpoch}/failureWorkflow/${workflow.lastRetriedTime ?? workflow.createTime}`,
  );
  t.patchWorkflow({ output: { ...workflow.output, [OUTPUT_KEY]: workflowId } });
  t.addEffect({
    kind: 'startWorkflow',
    workflowId,
    name,
    version: failureWorkflowVersion,
    input: inputOf(t, failedTask),
    correlationId: workflow.correlationId,
    priority: workflow.priority,
  });
}

function nameOf(t: Transition, template: string): string | undefined {
  try {
    const name = compileTemplate(template)(scopeOf(t));
    return typeof name === 'string' && name.trim() !== '' && name.length <= 255 ? name : undefined;
  } catch (error) {
    if (error instanceof ExpressionTooLarge) return undefined;
    throw error;
  }
}

/** How many failures led here: each failure workflow's input holds the one before, or (where it was cut) their number. */
function depthOf(input: JsonObject): number {
  let depth = 0;
  let current: Json | undefined = input;
  while (isObject(current) && isObject(current['failedWorkflow']) && depth < MAX_FAILURE_DEPTH) {
    depth += 1;
    const failed: JsonObject = current['failedWorkflow'];
    if (typeof failed['failuresBefore'] === 'number') return depth + failed['failuresBefore'];
    current = failed['input'];
  }
  return depth;
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function inputOf(t: Transition, failedTask: Task | undefined): JsonObject {
  const { workflow } = t;
  const facts: JsonObject = {
    workflowId: workflow.workflowId,
    reason: workflow.reasonForIncompletion ?? null,
    failureStatus: workflow.status,
    ...(failedTask === undefined ? {} : { failureTaskId: failedTask.taskId }),
  };
  const whole = { ...workflow.input, ...facts, failedWorkflow: describe(workflow, t.tasks) };
  if (isWithin(whole, t.limits.workflowMax)) return whole;
  // Its own data is too much to be carried on; the id tells where it is.
  const failedWorkflow = { ...summary(workflow), failuresBefore: depthOf(workflow.input) };
  return { ...workflow.input, ...facts, failedWorkflow };
}

const summary = (workflow: Workflow): JsonObject => ({
  workflowId: workflow.workflowId,
  workflowName: workflow.workflowName,
  workflowVersion: workflow.workflowVersion,
  status: workflow.status,
  reasonForIncompletion: workflow.reasonForIncompletion ?? null,
  failedReferenceTaskNames: workflow.failedReferenceTaskNames,
  correlationId: workflow.correlationId ?? null,
  priority: workflow.priority,
  createTime: workflow.createTime,
  endTime: workflow.endTime ?? null,
});

const describe = (workflow: Workflow, tasks: readonly Task[]): JsonObject => ({
  ...summary(workflow),
  input: workflow.input,
  output: workflow.output,
  variables: workflow.variables,
  tasks: tasks.slice(-MAX_LISTED_TASKS).map((task) => ({
    taskId: task.taskId,
    taskType: task.taskType,
    taskDefName: task.taskDefName,
    referenceTaskName: task.referenceTaskName,
    status: task.status,
    seq: task.seq,
    retryCount: task.retryCount,
    reasonForIncompletion: task.reasonForIncompletion ?? null,
    inputData: task.inputData,
    outputData: task.outputData,
    scheduledTime: task.scheduledTime,
    startTime: task.startTime ?? null,
    endTime: task.endTime ?? null,
  })),
});
