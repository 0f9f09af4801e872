import type { Instant } from '../../clock.js';
import type { Lease, TaskWrite } from '../execution-store.js';
import type { Task, TaskStatus, Workflow, WorkflowStatus } from '../model/execution.js';
import type { JsonObject } from '../model/json.js';
import { isPlaceholder } from '../payloads/placeholder.js';

/** A workflow without its payloads. */
export interface WorkflowFacts {
  readonly workflowId: string;
  readonly workflowName: string;
  readonly workflowVersion: number;
  readonly status: WorkflowStatus;
  readonly revision: number;
  readonly correlationId?: string | undefined;
  readonly parentWorkflowId?: string | undefined;
  readonly parentWorkflowTaskId?: string | undefined;
  readonly createTime: Instant;
  readonly updateTime: Instant;
  readonly endTime?: Instant | undefined;
  readonly reasonForIncompletion?: string | undefined;
  readonly failedReferenceTaskNames: readonly string[];
}

/** One attempt of a step without its payloads, in Conductor's words. */
export interface TaskFacts {
  readonly taskId: string;
  readonly referenceTaskName: string;
  readonly taskType: string;
  readonly taskDefName: string;
  readonly status: TaskStatus;
  readonly seq: number;
  /** The attempt, from 0. */
  readonly retryCount: number;
  readonly retried: boolean;
  readonly iteration: number;
  readonly pollCount: number;
  readonly workerId?: string | undefined;
  /** `null`: nobody holds it; absent: as before. `owner` is the process run that holds it, absent for a worker outside. */
  readonly lease?: { readonly owner?: string | undefined; readonly until: Instant } | null;
  readonly scheduledTime: Instant;
  readonly startTime?: Instant | undefined;
  readonly updateTime: Instant;
  readonly endTime?: Instant | undefined;
  /** Waits to be handed out, from `dueAt` on. */
  readonly queued: boolean;
  readonly dueAt: Instant;
  readonly reasonForIncompletion?: string | undefined;
  /** Where a SWITCH went. */
  readonly selectedCase?: string | undefined;
  /** The workflow that a SUB_WORKFLOW task started. */
  readonly subWorkflowId?: string | undefined;
}

const MAX_REASON = 500;

export const workflowFacts = (workflow: Omit<Workflow, 'workflowDefinition'>): WorkflowFacts => ({
  workflowId: workflow.workflowId,
  workflowName: workflow.workflowName,
  workflowVersion: workflow.workflowVersion,
  status: workflow.status,
  revision: workflow.revision,
  correlationId: workflow.correlationId,
  parentWorkflowId: workflow.parentWorkflowId,
  parentWorkflowTaskId: workflow.parentWorkflowTaskId,
  createTime: workflow.createTime,
  updateTime: workflow.updateTime,
  endTime: workflow.endTime,
  reasonForIncompletion: shortened(workflow.reasonForIncompletion),
  failedReferenceTaskNames: workflow.failedReferenceTaskNames.slice(0, 100),
});

/** A task as events show it; a lease of `keep` is not told. */
export const taskFacts = (task: Task, lease: TaskWrite['lease']): TaskFacts => ({
  taskId: task.taskId,
  referenceTaskName: task.referenceTaskName,
  taskType: task.taskType,
  taskDefName: task.taskDefName,
  status: task.status,
  seq: task.seq,
  retryCount: task.retryCount,
  retried: task.retried,
  iteration: task.iteration,
  pollCount: task.pollCount,
  workerId: task.workerId,
  ...(lease === 'keep' ? {} : { lease: leaseFacts(lease) }),
  scheduledTime: task.scheduledTime,
  startTime: task.startTime,
  updateTime: task.updateTime,
  endTime: task.endTime,
  queued: task.queued,
  dueAt: task.dueAt,
  reasonForIncompletion: shortened(task.reasonForIncompletion),
  subWorkflowId: task.subWorkflowId,
  ...outputFacts(task.taskType, task.outputData),
});

export const leaseFacts = (lease: Lease | undefined): NonNullable<TaskFacts['lease']> | null =>
  lease === undefined ? null : { owner: lease.owner, until: lease.until };

/** What the graph needs of an output: which way a SWITCH went. */
export const outputFacts = (taskType: string, output: JsonObject): Pick<TaskFacts, 'selectedCase'> =>
  taskType === 'SWITCH' && !isPlaceholder(output) ? { selectedCase: textOf(output['selectedCase']) } : {};

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value.slice(0, 255) : undefined;

export function shortened(reason: string | undefined): string | undefined {
  return reason === undefined || reason.length <= MAX_REASON ? reason : `${reason.slice(0, MAX_REASON)}…`;
}
