import type { Lease, TaskWrite, WorkflowWrite } from '../execution-store.js';
import type { WorkflowDef, WorkflowTask } from '../model/definition.js';
import type { Task, TaskStatus, Workflow, WorkflowStatus } from '../model/execution.js';
import type { JsonObject } from '../model/json.js';
import { fromRow, toRow } from '../payloads/placeholder.js';
import type { WorkflowSummary } from '../ports.js';
import type { TaskTimeouts } from '../runtime/hand-over.js';
import type { CopyValue } from './copy-line.js';
import type { DefinitionSnapshot } from './definition-snapshots.js';
import type { LoadedWorkflowRow } from './sql/load-workflows.js';

/** Table `workflow`. */
export interface WorkflowRow {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly status: WorkflowStatus;
  readonly revision: number;
  readonly run_epoch: number;
  readonly priority: number;
  readonly correlation_id: string | null;
  readonly idempotency_key: string | null;
  readonly parent_workflow_id: string | null;
  readonly parent_task_id: string | null;
  readonly depth: number;
  readonly created_by: string | null;
  readonly created_at: number;
  readonly updated_at: number;
  readonly ended_at: number | null;
  readonly last_retried_at: number | null;
  readonly task_count: number;
  readonly open_task_count: number;
  readonly reason: string | null;
  readonly failed_references: string[];
}

/** Table `task`. */
export interface TaskRow {
  readonly id: string;
  readonly workflow_id: string;
  readonly changed_rev: number;
  readonly seq: number;
  readonly ref: string;
  readonly task_type: string;
  readonly task_def_name: string;
  readonly status: TaskStatus;
  readonly retry_count: number;
  readonly retried_task_id: string | null;
  readonly retried: boolean;
  readonly executed: boolean;
  readonly iteration: number;
  readonly sub_workflow_id: string | null;
  readonly poll_count: number;
  readonly worker_id: string | null;
  readonly scheduled_at: number;
  readonly started_at: number | null;
  readonly updated_at: number;
  readonly ended_at: number | null;
  readonly first_scheduled_at: number;
  readonly callback_after_seconds: number;
  readonly reason: string | null;
  readonly queued: boolean;
  readonly due_at: number;
  readonly due: boolean;
  readonly priority: number;
  readonly fair_tag: number;
  readonly lease_owner: string | null;
  readonly lease_until: number | null;
  readonly response_timeout_ms: number;
  readonly execution_timeout_ms: number;
  /** A text refers to the payload store. */
  readonly input: JsonObject | string;
  readonly output: JsonObject | string;
  readonly step: WorkflowTask | null;
}

export const optional = <T>(value: T | null): T | undefined => value ?? undefined;

export const workflowFrom = (row: LoadedWorkflowRow, workflowDefinition: WorkflowDef): Workflow => ({
  workflowId: row.id,
  workflowName: row.name,
  workflowVersion: row.version,
  workflowDefinition,
  status: row.status,
  input: fromRow(row.input),
  output: fromRow(row.output),
  variables: row.variables,
  correlationId: optional(row.correlation_id),
  idempotencyKey: optional(row.idempotency_key),
  priority: row.priority,
  createTime: row.created_at,
  updateTime: row.updated_at,
  endTime: optional(row.ended_at),
  lastRetriedTime: optional(row.last_retried_at),
  reasonForIncompletion: optional(row.reason),
  failedReferenceTaskNames: row.failed_references,
  parentWorkflowId: optional(row.parent_workflow_id),
  parentWorkflowTaskId: optional(row.parent_task_id),
  depth: row.depth,
  createdBy: optional(row.created_by),
  traceparent: optional(row.traceparent),
  runEpoch: row.run_epoch,
  revision: row.revision,
});

export const summaryFrom = (row: WorkflowRow): WorkflowSummary => ({
  workflowId: row.id,
  workflowName: row.name,
  workflowVersion: row.version,
  status: row.status,
  correlationId: optional(row.correlation_id),
  priority: row.priority,
  createTime: row.created_at,
  updateTime: row.updated_at,
  endTime: optional(row.ended_at),
  reasonForIncompletion: optional(row.reason),
  failedReferenceTaskNames: row.failed_references,
});

export const taskFrom = (row: TaskRow, snapshot: DefinitionSnapshot): Task => ({
  taskId: row.id,
  workflowInstanceId: row.workflow_id,
  workflowType: snapshot.definition.name,
  referenceTaskName: row.ref,
  taskType: row.task_type,
  taskDefName: row.task_def_name,
  status: row.status,
  workflowTask: row.step ?? snapshot.step(row.ref),
  inputData: fromRow(row.input),
  outputData: fromRow(row.output),
  seq: row.seq,
  retryCount: row.retry_count,
  retriedTaskId: optional(row.retried_task_id),
  retried: row.retried,
  executed: row.executed,
  iteration: row.iteration,
  subWorkflowId: optional(row.sub_workflow_id),
  pollCount: row.poll_count,
  workerId: optional(row.worker_id),
  scheduledTime: row.scheduled_at,
  startTime: optional(row.started_at),
  updateTime: row.updated_at,
  endTime: optional(row.ended_at),
  firstScheduledTime: row.first_scheduled_at,
  callbackAfterSeconds: row.callback_after_seconds,
  reasonForIncompletion: optional(row.reason),
  queued: row.queued,
  dueAt: row.due_at,
  priority: row.priority,
});

export const leaseFrom = (row: Pick<TaskRow, 'lease_owner' | 'lease_until'>): Lease | undefined =>
  row.lease_until === null ? undefined : { owner: optional(row.lease_owner), until: row.lease_until };

export const timeoutsFrom = (row: TaskRow): TaskTimeouts => ({
  responseTimeoutMs: row.response_timeout_ms,
  executionTimeoutMs: row.execution_timeout_ms,
});

/** What a transition that leaves the workflow running as before changes of its row. */
export const advancedParameters = ({ workflow, taskCount, openTaskCount }: WorkflowWrite) => ({
  id: workflow.workflowId,
  rev: workflow.revision,
  at: workflow.updateTime,
  tasks: taskCount,
  open: openTaskCount,
});

/** What a transition may change of the row of a workflow. */
export const changedWorkflowParameters = (write: WorkflowWrite) => {
  const { workflow } = write;
  return {
    id: workflow.workflowId,
    status: workflow.status,
    revision: workflow.revision,
    run_epoch: workflow.runEpoch,
    updated_at: workflow.updateTime,
    ended_at: workflow.endTime,
    last_retried_at: workflow.lastRetriedTime,
    task_count: write.taskCount,
    open_task_count: write.openTaskCount,
    reason: workflow.reasonForIncompletion,
    failed_references: workflow.failedReferenceTaskNames,
  };
};

/** A new row of `workflow`. */
export const newWorkflowParameters = (write: WorkflowWrite) => {
  const { workflow } = write;
  // Spelled out, not spread from the parameters of a change: a quarter of the time, and this is done for every start.
  return {
    id: workflow.workflowId,
    name: workflow.workflowName,
    version: workflow.workflowVersion,
    status: workflow.status,
    revision: workflow.revision,
    run_epoch: workflow.runEpoch,
    priority: workflow.priority,
    correlation_id: workflow.correlationId,
    idempotency_key: workflow.idempotencyKey,
    parent_workflow_id: workflow.parentWorkflowId,
    parent_task_id: workflow.parentWorkflowTaskId,
    depth: workflow.depth,
    created_by: workflow.createdBy,
    created_at: workflow.createTime,
    updated_at: workflow.updateTime,
    ended_at: workflow.endTime,
    last_retried_at: workflow.lastRetriedTime,
    task_count: write.taskCount,
    open_task_count: write.openTaskCount,
    reason: workflow.reasonForIncompletion,
    failed_references: workflow.failedReferenceTaskNames,
  };
};

/** The columns of a new row of `task`, in the order of {@link newTaskValues}. */
export const NEW_TASK_COLUMNS = `id, workflow_id, changed_rev, seq, ref, task_type, task_def_name, status, retry_count,
  retried_task_id, retried, executed, iteration, sub_workflow_id, poll_count, worker_id, scheduled_at, started_at,
  updated_at, ended_at, first_scheduled_at, callback_after_seconds, reason, queued, due_at, due, priority, fair_tag,
  lease_owner, lease_until, response_timeout_ms, execution_timeout_ms, input, output, step`;

/** A new row of `task`. The step is stored only where the definition does not hold it. */
export function newTaskValues(
  { task, lease, ...write }: TaskWrite,
  revision: number,
  now: number,
  snapshot: DefinitionSnapshot,
): readonly CopyValue[] {
  const held = lease === 'keep' ? undefined : lease;
  return [
    task.taskId,
    task.workflowInstanceId,
    revision,
    task.seq,
    task.referenceTaskName,
    task.taskType,
    task.taskDefName,
    task.status,
    task.retryCount,
    task.retriedTaskId,
    task.retried,
    task.executed,
    task.iteration,
    task.subWorkflowId,
    task.pollCount,
    task.workerId,
    task.scheduledTime,
    task.startTime,
    task.updateTime,
    task.endTime,
    task.firstScheduledTime,
    task.callbackAfterSeconds,
    task.reasonForIncompletion,
    task.queued,
    task.dueAt,
    task.queued && task.dueAt <= now,
    task.priority,
    write.fairTag,
    held?.owner,
    held?.until,
    write.responseTimeoutMs,
    write.executionTimeoutMs,
    valueToCopy(task.inputData),
    valueToCopy(task.outputData),
    snapshot.holds(task) ? undefined : task.workflowTask,
  ];
}

/** The end of an attempt that changes nothing else of its row: what nearly every task goes through once. */
export const endedTaskParameters = ({ task, outputChanged }: TaskWrite, revision: number) => ({
  id: task.taskId,
  rev: revision,
  status: task.status,
  executed: task.executed,
  at: task.updateTime,
  ended: task.endTime,
  output: outputChanged ? toRow(task.outputData) : undefined,
});

/** COPY takes the text of a reference as it is; as JSON it has quotes. */
function valueToCopy(value: JsonObject): CopyValue {
  const kept = toRow(value);
  return typeof kept === 'string' ? JSON.stringify(kept) : kept;
}

/** A change to a row of `task`; absent input and output stay as stored. */
export const changedTaskParameters = (write: TaskWrite, revision: number, now: number) => {
  const { task, lease } = write;
  const held = lease === 'keep' ? undefined : lease;
  return {
    id: task.taskId,
    changed_rev: revision,
    status: task.status,
    iteration: task.iteration,
    sub_workflow_id: task.subWorkflowId,
    retried: task.retried,
    executed: task.executed,
    poll_count: task.pollCount,
    worker_id: task.workerId,
    started_at: task.startTime,
    updated_at: task.updateTime,
    ended_at: task.endTime,
    callback_after_seconds: task.callbackAfterSeconds,
    reason: task.reasonForIncompletion,
    queued: task.queued,
    due_at: task.dueAt,
    due: task.queued && task.dueAt <= now,
    fair_tag: write.fairTag === 0 ? undefined : write.fairTag,
    keep_lease: lease === 'keep',
    lease_owner: held?.owner,
    lease_until: held?.until,
    input: write.inputChanged ? toRow(task.inputData) : undefined,
    output: write.outputChanged ? toRow(task.outputData) : undefined,
  };
};
