import type { ClaimedTask } from '../execution-store.js';
import type { Task, Workflow } from '../model/execution.js';
import type { JsonObject } from '../model/json.js';
import { refOf } from '../payloads/placeholder.js';
import { shownStep } from '../payloads/shown-step.js';
import type { WorkflowSummary } from '../ports.js';

/*
 * Executions as Conductor shows them. Absent values are left out of the JSON; times that have not come are 0.
 */

/** A value that an answer had no room for is told by its path, as Conductor does. */
const pathOf = (value: JsonObject): string | undefined => refOf(value)?.key;
export const shown = (value: JsonObject): JsonObject => (refOf(value) === undefined ? value : {});

/** One attempt of a step, as in Conductor's Task. */
export const taskView = (task: Task, workflow?: Pick<Workflow, 'correlationId' | 'priority'>) => ({
  taskType: task.taskType,
  status: task.status,
  inputData: shown(task.inputData),
  externalInputPayloadStoragePath: pathOf(task.inputData),
  referenceTaskName: task.referenceTaskName,
  retryCount: task.retryCount,
  seq: task.seq,
  correlationId: workflow?.correlationId,
  pollCount: task.pollCount,
  taskDefName: task.taskDefName,
  scheduledTime: task.scheduledTime,
  startTime: task.startTime ?? 0,
  endTime: task.endTime ?? 0,
  updateTime: task.updateTime,
  startDelayInSeconds: Math.round(task.workflowTask.startDelay),
  retriedTaskId: task.retriedTaskId,
  retried: task.retried,
  executed: task.executed,
  callbackFromWorker: true,
  responseTimeoutSeconds: task.workflowTask.taskDefinition?.responseTimeoutSeconds ?? 0,
  workflowInstanceId: task.workflowInstanceId,
  workflowType: task.workflowType,
  taskId: task.taskId,
  reasonForIncompletion: task.reasonForIncompletion,
  callbackAfterSeconds: task.callbackAfterSeconds,
  workerId: task.workerId,
  outputData: shown(task.outputData),
  externalOutputPayloadStoragePath: pathOf(task.outputData),
  workflowTask: shownStep(task.workflowTask),
  workflowPriority: workflow?.priority ?? task.priority,
  iteration: task.iteration,
  subWorkflowId: task.subWorkflowId,
  firstStartTime: task.startTime ?? 0,
  queueWaitTime: task.startTime === undefined ? 0 : Math.max(0, task.startTime - task.scheduledTime),
  loopOverTask: task.iteration > 0,
  taskDefinition: task.workflowTask.taskDefinition,
});

/** What a worker gets; `traceparent` is the trace that it may go on with. */
export const claimedView = ({ task, traceparent }: ClaimedTask) => ({ ...taskView(task), traceparent });

/** A run, as in Conductor's Workflow. */
export const workflowView = (workflow: Workflow, tasks: readonly Task[]) => ({
  status: workflow.status,
  startTime: workflow.createTime,
  endTime: workflow.endTime ?? 0,
  createTime: workflow.createTime,
  updateTime: workflow.updateTime,
  workflowId: workflow.workflowId,
  parentWorkflowId: workflow.parentWorkflowId,
  parentWorkflowTaskId: workflow.parentWorkflowTaskId,
  tasks: tasks.map((task) => taskView(task, workflow)),
  input: shown(workflow.input),
  externalInputPayloadStoragePath: pathOf(workflow.input),
  output: shown(workflow.output),
  externalOutputPayloadStoragePath: pathOf(workflow.output),
  correlationId: workflow.correlationId,
  reasonForIncompletion: workflow.reasonForIncompletion,
  taskToDomain: {},
  failedReferenceTaskNames: workflow.failedReferenceTaskNames,
  failedTaskNames: [
    ...new Set(
      tasks
        .filter(({ referenceTaskName }) => workflow.failedReferenceTaskNames.includes(referenceTaskName))
        .map(({ taskDefName }) => taskDefName),
    ),
  ],
  workflowDefinition: workflow.workflowDefinition,
  workflowName: workflow.workflowName,
  workflowVersion: workflow.workflowVersion,
  priority: workflow.priority,
  variables: workflow.variables,
  lastRetriedTime: workflow.lastRetriedTime ?? 0,
  history: [],
  idempotencyKey: workflow.idempotencyKey,
  createdBy: workflow.createdBy,
});

const iso = (time: number | undefined): string => (time === undefined ? '' : new Date(time).toISOString());

/** A row of Conductor's search. Its times are ISO text. */
export const summaryView = (summary: WorkflowSummary) => ({
  workflowType: summary.workflowName,
  version: summary.workflowVersion,
  workflowId: summary.workflowId,
  correlationId: summary.correlationId,
  startTime: iso(summary.createTime),
  updateTime: iso(summary.updateTime),
  endTime: iso(summary.endTime),
  status: summary.status,
  reasonForIncompletion: summary.reasonForIncompletion,
  executionTime: summary.endTime === undefined ? 0 : summary.endTime - summary.createTime,
  failedReferenceTaskNames: summary.failedReferenceTaskNames.join(','),
  priority: summary.priority,
});
