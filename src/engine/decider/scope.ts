import type { Task, Workflow } from '../model/execution.js';
import type { Json, JsonObject } from '../model/json.js';
import type { Scope } from './expressions.js';

/** The fields of `${workflow.…}`. */
export const WORKFLOW_FIELDS = [
  'input',
  'output',
  'status',
  'workflowId',
  'parentWorkflowId',
  'parentWorkflowTaskId',
  'workflowType',
  'version',
  'correlationId',
  'reasonForIncompletion',
  'schemaVersion',
  'variables',
] as const;

type WorkflowField = (typeof WORKFLOW_FIELDS)[number];

const workflowView = (workflow: Workflow): JsonObject =>
  defined({
    input: workflow.input,
    output: workflow.output,
    status: workflow.status,
    workflowId: workflow.workflowId,
    parentWorkflowId: workflow.parentWorkflowId,
    parentWorkflowTaskId: workflow.parentWorkflowTaskId,
    workflowType: workflow.workflowName,
    version: workflow.workflowVersion,
    correlationId: workflow.correlationId,
    reasonForIncompletion: workflow.reasonForIncompletion,
    schemaVersion: workflow.workflowDefinition.schemaVersion,
    variables: workflow.variables,
  } satisfies Record<WorkflowField, Json | undefined>);

const taskView = (task: Task, correlationId: string | undefined): JsonObject =>
  defined({
    input: task.inputData,
    output: task.outputData,
    taskType: task.taskType,
    status: task.status,
    referenceTaskName: task.referenceTaskName,
    retryCount: task.retryCount,
    correlationId,
    pollCount: task.pollCount,
    taskDefName: task.taskDefName,
    scheduledTime: task.scheduledTime,
    startTime: task.startTime,
    endTime: task.endTime,
    workflowInstanceId: task.workflowInstanceId,
    taskId: task.taskId,
    reasonForIncompletion: task.reasonForIncompletion,
    callbackAfterSeconds: task.callbackAfterSeconds,
    workerId: task.workerId,
    iteration: task.iteration,
  });

/** What `${…}` sees at one moment of a workflow. `latest` finds the newest attempt of a step. */
export const scopeOf = (
  workflow: Workflow,
  latest: (ref: string) => Task | undefined,
  taskId?: string,
): Scope => ({
  taskId,
  read(root) {
    if (root === 'workflow') return workflowView(workflow);
    const task = latest(root);
    return task && taskView(task, workflow.correlationId);
  },
});

function defined(view: Record<string, Json | undefined>): JsonObject {
  const found: Record<string, Json> = {};
  for (const [key, value] of Object.entries(view)) if (value !== undefined) found[key] = value;
  return found;
}
