import type { Instant } from '../../clock.js';
import type { WorkflowDef, WorkflowTask } from './definition.js';
import type { JsonObject } from './json.js';

export const WORKFLOW_STATUSES = [
  'RUNNING',
  'COMPLETED',
  'FAILED',
  'TIMED_OUT',
  'TERMINATED',
  'PAUSED',
] as const;
export type WorkflowStatus = (typeof WORKFLOW_STATUSES)[number];

/** How a workflow can end. */
export type EndedStatus = Exclude<WorkflowStatus, 'RUNNING' | 'PAUSED'>;

export const TASK_STATUSES = [
  'SCHEDULED',
  'IN_PROGRESS',
  'COMPLETED',
  'COMPLETED_WITH_ERRORS',
  'SKIPPED',
  'FAILED',
  'FAILED_WITH_TERMINAL_ERROR',
  'TIMED_OUT',
  'CANCELED',
] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

export const isTerminalWorkflow = (status: WorkflowStatus): status is EndedStatus =>
  status !== 'RUNNING' && status !== 'PAUSED';
export const isTerminalTask = (status: TaskStatus): boolean =>
  status !== 'SCHEDULED' && status !== 'IN_PROGRESS';
export const isSuccessfulTask = (status: TaskStatus): boolean =>
  status === 'COMPLETED' || status === 'COMPLETED_WITH_ERRORS' || status === 'SKIPPED';

/** One run of a definition. Times are milliseconds since the epoch. */
export interface Workflow {
  readonly workflowId: string;
  readonly workflowName: string;
  readonly workflowVersion: number;
  /** The definition as it was at the start; a run never changes its language under way. */
  readonly workflowDefinition: WorkflowDef;
  readonly status: WorkflowStatus;
  readonly input: JsonObject;
  readonly output: JsonObject;
  readonly variables: JsonObject;
  readonly correlationId?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  /** 0..99, higher first. */
  readonly priority: number;
  readonly createTime: Instant;
  readonly updateTime: Instant;
  readonly endTime?: Instant | undefined;
  readonly lastRetriedTime?: Instant | undefined;
  readonly reasonForIncompletion?: string | undefined;
  readonly failedReferenceTaskNames: readonly string[];
  readonly parentWorkflowId?: string | undefined;
  readonly parentWorkflowTaskId?: string | undefined;
  /** How many workflows it is inside of; 0 for one without a parent. */
  readonly depth: number;
  readonly createdBy?: string | undefined;
  /** The W3C trace that its start came in with; a child's is its parent's. */
  readonly traceparent?: string | undefined;
  /** Raised by restart and rerun; part of every derived task id. */
  readonly runEpoch: number;
  /** Raised by every committed transition; the fence against lost updates. */
  readonly revision: number;
}

/** One attempt of one step. */
export interface Task {
  readonly taskId: string;
  readonly workflowInstanceId: string;
  readonly workflowType: string;
  /** The step's name; in a loop with the iteration of each loop around it, outermost first: `name__2`, `name__2__3`. */
  readonly referenceTaskName: string;
  /** The queue that workers poll; the definition's name for SIMPLE, the type's name for system tasks (FORK for FORK_JOIN). */
  readonly taskType: string;
  readonly taskDefName: string;
  readonly status: TaskStatus;
  /** The step of the definition that this came from, as it was when scheduled. */
  readonly workflowTask: WorkflowTask;
  readonly inputData: JsonObject;
  readonly outputData: JsonObject;
  readonly seq: number;
  /** The attempt, from 0. */
  readonly retryCount: number;
  readonly retriedTaskId?: string | undefined;
  /** A later attempt replaced this row. */
  readonly retried: boolean;
  /** Its successors were scheduled. */
  readonly executed: boolean;
  /** Of the innermost loop around it, from 1; 0 outside of loops. A DO_WHILE's own: the one it is at. */
  readonly iteration: number;
  /** SUB_WORKFLOW: the child that this attempt started. */
  readonly subWorkflowId?: string | undefined;
  readonly pollCount: number;
  readonly workerId?: string | undefined;
  readonly scheduledTime: Instant;
  readonly startTime?: Instant | undefined;
  readonly updateTime: Instant;
  readonly endTime?: Instant | undefined;
  readonly firstScheduledTime: Instant;
  /** Seconds to wait before it may be handed out (again). */
  readonly callbackAfterSeconds: number;
  readonly reasonForIncompletion?: string | undefined;
  /**
   * To be handed to a worker. Apart from `status`, because a HUMAN task is IN_PROGRESS from its creation, as in
   * Conductor, and is still handed once to the reviews stage.
   */
  readonly queued: boolean;
  /** When a queued task may be handed out. */
  readonly dueAt: Instant;
  readonly priority: number;
}
