import type { Task, Workflow } from '../model/execution.js';
import type { Json, JsonObject } from '../model/json.js';
import type { Scope } from './expressions.js';
import type { Transition } from './transition.js';
import { shownOutput } from './loop-output.js';
import type { WORKFLOW_FIELDS } from './workflow-fields.js';

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

const taskView = (task: Task, output: JsonObject, correlationId: string | undefined): JsonObject =>
  defined({
    input: task.inputData,
    output,
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

/** What `${…}` sees at this moment: of each step its newest attempt, in a loop that of the latest iteration. */
export const scopeOf = (t: Transition, taskId?: string): Scope => ({
  taskId,
  read(root, [field, key]) {
    const { workflow } = t;
    if (root === 'workflow') {
      // Nearly every expression asks for one of these, and then nothing else is looked at.
      if (field === 'input') return { input: workflow.input };
      if (field === 'variables') return { variables: workflow.variables };
      return workflowView(workflow);
    }
    const task = t.latest(root);
    if (task === undefined) return undefined;
    if (field === 'input') return { input: task.inputData };
    if (field === 'output') return { output: shownOutput(t, task, key) };
    const output = field === undefined ? shownOutput(t, task, key) : task.outputData;
    return taskView(task, output, workflow.correlationId);
  },
});

function defined(view: Record<string, Json | undefined>): JsonObject {
  const found: Record<string, Json> = {};
  for (const [key, value] of Object.entries(view)) if (value !== undefined) found[key] = value;
  return found;
}
