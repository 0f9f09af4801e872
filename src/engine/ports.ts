import type { Instant } from '../clock.js';
import type { TaskDef, WorkflowDef } from './model/definition.js';
import type { Actor, ReportedStatus } from './model/command.js';
import type { Task, TaskStatus, Workflow, WorkflowStatus } from './model/execution.js';
import type { JsonObject } from './model/json.js';

/** A request to run a definition; Conductor's StartWorkflowRequest. */
export interface StartWorkflowRequest {
  readonly name: string;
  /** The newest version when absent. */
  readonly version?: number | undefined;
  readonly input?: JsonObject | undefined;
  /** In place of `input`: the path of a value that the actor wrote before. */
  readonly externalInputPayloadStoragePath?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly priority?: number | undefined;
  /** The same key and name start one workflow: the second call answers with the first one's id. */
  readonly idempotencyKey?: string | undefined;
  /** FAIL: the second call is a Conflict instead, naming that id. */
  readonly idempotencyStrategy?: 'RETURN_EXISTING' | 'FAIL' | undefined;
  /** Derived ids make a start repeatable; random when absent. */
  readonly workflowId?: string | undefined;
  readonly createdBy?: string | undefined;
  /** The W3C trace that the workflow goes on with; one of its own when absent. */
  readonly traceparent?: string | undefined;
}

/** What a worker reports; Conductor's TaskResult. */
export interface TaskResult {
  readonly workflowInstanceId: string;
  readonly taskId: string;
  readonly status: ReportedStatus;
  readonly outputData?: JsonObject | undefined;
  /** In place of `outputData`: the path of a value that the actor wrote before. */
  readonly externalOutputPayloadStoragePath?: string | undefined;
  readonly reasonForIncompletion?: string | undefined;
  readonly callbackAfterSeconds?: number | undefined;
  readonly workerId?: string | undefined;
  readonly logs?: readonly string[] | undefined;
  readonly extendLease?: boolean | undefined;
  /** The lease (poll count) on which this rests: one that was handed on since makes it late. Any when absent. */
  readonly lease?: number | undefined;
  /** Unique per task and intention: the same id again changes nothing and answers as before. */
  readonly commandId?: string | undefined;
  /** With a worker's rights only: Forbidden for a task that is for people (HUMAN). */
  readonly asWorker?: boolean | undefined;
}

/** `applied`: durable and decided. `late`: the attempt or the workflow had already ended, nothing changed. */
export type UpdateOutcome =
  | { readonly kind: 'applied' }
  | {
      readonly kind: 'late';
      readonly status: TaskStatus;
      readonly endTime?: Instant | undefined;
      /** Who holds the attempt now, or held it last. */
      readonly holder?: string | undefined;
      /** The lease (poll count) that counts now. */
      readonly lease?: number | undefined;
    };

export interface WorkflowSearch {
  readonly status?: readonly WorkflowStatus[] | undefined;
  readonly workflowName?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly from?: Instant | undefined;
  readonly to?: Instant | undefined;
  /** 1..500 */
  readonly limit: number;
  /** So many of the newest are left out, 10,000 at most: each is still walked past. A cursor goes deeper. */
  readonly skip?: number | undefined;
  /** From the previous page. */
  readonly cursor?: string | undefined;
}

/** A row of the executions list: no payloads. */
export type WorkflowSummary = Pick<
  Workflow,
  | 'workflowId'
  | 'workflowName'
  | 'workflowVersion'
  | 'status'
  | 'correlationId'
  | 'priority'
  | 'createTime'
  | 'updateTime'
  | 'endTime'
  | 'reasonForIncompletion'
  | 'failedReferenceTaskNames'
>;

export interface WorkflowExecution extends Workflow {
  readonly tasks: readonly Task[];
}

/**
 * The engine as the stages see it. Every method resolves only after what it did is durable.
 *
 * Errors: NotFound for unknown ids and names, InvalidInput for bad values, Conflict for a state that does not
 * allow the call, Forbidden for what a worker's rights do not reach to, Overloaded when a bound is reached.
 */
export abstract class Engine {
  /** @returns the workflow's id. */
  abstract start(request: StartWorkflowRequest, actor: Actor): Promise<string>;
  abstract get(workflowId: string): Promise<WorkflowExecution>;
  abstract search(
    query: WorkflowSearch,
  ): Promise<{ items: readonly WorkflowSummary[]; nextCursor?: string | undefined }>;
  abstract updateTask(result: TaskResult, actor: Actor): Promise<UpdateOutcome>;
  abstract getTask(taskId: string): Promise<Task>;
  abstract terminate(workflowId: string, reason: string, actor: Actor): Promise<void>;
  abstract pause(workflowId: string, actor: Actor): Promise<void>;
  abstract resume(workflowId: string, actor: Actor): Promise<void>;
  abstract retry(workflowId: string, actor: Actor): Promise<void>;
}

/** Definitions by name and version. */
export abstract class Metadata {
  /** Throws InvalidInput with the JSON path of what is wrong. `overwrite: false` → Conflict when name and version exist. */
  abstract registerWorkflow(def: WorkflowDef, options: { overwrite: boolean }, actor: Actor): Promise<void>;
  abstract getWorkflow(name: string, version?: number): Promise<WorkflowDef>;
  abstract listWorkflows(): Promise<readonly WorkflowDef[]>;
  abstract deleteWorkflow(name: string, version: number, actor: Actor): Promise<void>;
  /** `asWorker`: adds what is missing; Forbidden for one that exists and says otherwise. */
  abstract registerTasks(
    defs: readonly TaskDef[],
    actor: Actor,
    options?: { readonly asWorker?: boolean },
  ): Promise<void>;
  abstract getTask(name: string): Promise<TaskDef>;
  abstract listTasks(): Promise<readonly TaskDef[]>;
  abstract deleteTask(name: string, actor: Actor): Promise<void>;
}

/** What an in-process worker gets beside the task. */
export interface TaskContext {
  /** Aborts when the lease is lost, the workflow ended or the service stops: leave promptly, write nothing more. */
  readonly signal: AbortSignal;
  /** The W3C trace to go on with in calls to others; undefined when there is none. */
  readonly traceparent?: string | undefined;
  /** Kept with the task and shown beside it; at most 1,000 lines of 4 KB. Must not hold secrets. */
  log(line: string): void;
}

/**
 * How a worker's run ended. `parked`: accepted, and somebody will complete the task later (a review).
 * `inProgress`: hand it out again after the given seconds.
 */
export type TaskOutcome =
  | { readonly kind: 'completed'; readonly output: JsonObject }
  | {
      readonly kind: 'failed';
      readonly reason: string;
      readonly output?: JsonObject | undefined;
      readonly terminal: boolean;
    }
  | {
      readonly kind: 'inProgress';
      readonly callbackAfterSeconds: number;
      readonly output?: JsonObject | undefined;
    }
  | { readonly kind: 'parked'; readonly output?: JsonObject | undefined };

/** Thrown by a worker: the task ends FAILED_WITH_TERMINAL_ERROR, without a retry. */
export class TerminalError extends Error {}

/** Thrown by a worker: hand the task out again after so many seconds; counts as no failure. */
export class RetryLater extends Error {
  constructor(
    readonly afterSeconds: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Thrown by a worker: it cannot be done in this process, and may be in another one. The task waits again at once, which
 * counts as no failure, and this process leaves it alone for half a minute.
 */
export class NotHere extends Error {}

/**
 * An in-process worker of one task type. Its run must be repeatable: after a crash the same attempt is handed out
 * again (same `taskId`). Anything thrown but TerminalError and RetryLater makes the attempt FAILED and retried.
 */
export abstract class TaskWorker {
  abstract readonly taskType: string;
  /** Registered at start unless a definition of this name exists. */
  readonly taskDef?: Partial<TaskDef>;
  /** Runs at once per process. */
  readonly concurrency: number = 4;
  abstract execute(task: Task, context: TaskContext): Promise<TaskOutcome>;
}

/** Injection token of the array of all in-process workers. */
export const TASK_WORKERS = Symbol('TASK_WORKERS');
