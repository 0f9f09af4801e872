import type { Instant } from '../../clock.js';
import type { TaskDef, WorkflowDef } from './definition.js';
import type { EndedStatus, Task, TaskStatus, Workflow } from './execution.js';
import type { Json, JsonObject } from './json.js';
import type { PayloadLimits } from './payload-limits.js';

/** What a worker, a person or a client may report about one attempt of a task. */
export type ReportedStatus = Extract<
  TaskStatus,
  'IN_PROGRESS' | 'COMPLETED' | 'COMPLETED_WITH_ERRORS' | 'FAILED' | 'FAILED_WITH_TERMINAL_ERROR'
>;

/** Who asked, for the audit trail: a user, an API key, a worker or the engine itself. */
export interface Actor {
  readonly kind: 'user' | 'apikey' | 'worker' | 'system';
  readonly id: string;
}

/** What can be asked of a running workflow. `commandId` is unique per intention: a repeated one changes nothing. */
export type Command = { readonly commandId: string; readonly actor: Actor } & (
  | { readonly kind: 'start' }
  | {
      readonly kind: 'updateTask';
      readonly taskId: string;
      readonly status: ReportedStatus;
      readonly outputData: JsonObject;
      readonly reasonForIncompletion?: string | undefined;
      readonly workerId?: string | undefined;
      /** IN_PROGRESS only: hand it out again after this many seconds; `undefined` keeps it parked until somebody completes it. */
      readonly callbackAfterSeconds?: number | undefined;
      /** Reported with a worker's rights, which do not reach to what is for people. */
      readonly asWorker?: boolean | undefined;
    }
  /** A deadline passed or a sweep: look at the clock again. */
  | { readonly kind: 'wake' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'terminate'; readonly reason: string }
  | { readonly kind: 'retry' }
  /** The engine's own: what should come next cannot be stored, ever, so the workflow ends here. */
  | { readonly kind: 'fail'; readonly reason: string }
  /** What a script came to that the workflow waited for. */
  | {
      readonly kind: 'evaluated';
      readonly taskId: string;
      /** The need's; a result for any other is late. */
      readonly evaluation: string;
      readonly result: ScriptResult;
    }
  /** The child of a SUB_WORKFLOW task has ended, or could not be started (FAILED, with the reason). */
  | {
      readonly kind: 'childEnded';
      readonly taskId: string;
      readonly childWorkflowId: string;
      readonly status: EndedStatus;
      readonly output: JsonObject;
      readonly reason?: string | undefined;
      /** By the child's time, as all that it says of itself: its messages may come in any order. */
      readonly endTime: Instant;
    }
  /** The child of a SUB_WORKFLOW task, which had ended, was set going again by itself. */
  | {
      readonly kind: 'childRetried';
      readonly taskId: string;
      readonly childWorkflowId: string;
      /** By the child's time: later than the end that it follows. */
      readonly retriedAt: Instant;
    }
);

/** `message` is for people: what was wrong with the script or its run. */
export type ScriptResult =
  { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly message: string };

/**
 * A script that a task waits for. It follows from the rows, so it is never stored: after a crash deciding again says it
 * again.
 */
export interface ScriptNeed {
  readonly taskId: string;
  /** The task's reference name, for messages. */
  readonly ref: string;
  /** Tells this evaluation from the task's others (a loop asks once per iteration); goes back with the result. */
  readonly evaluation: string;
  /** JavaScript. */
  readonly expression: string;
  /** What the script sees as `$`. */
  readonly input: JsonObject;
}

/** Who waits for a workflow's end. */
export interface Parent {
  readonly workflowId: string;
  readonly taskId: string;
  /** Of the parent; its child is one deeper. */
  readonly depth: number;
}

/**
 * Something outside this workflow's rows that must happen because of the transition; stored as a row in the same commit.
 * `workflowId` is always the one that it happens to.
 */
export type Effect =
  | {
      readonly kind: 'startWorkflow';
      /** Derived, so that the same effect twice starts once. */
      readonly workflowId: string;
      readonly name: string;
      /** The newest when absent. */
      readonly version?: number | undefined;
      /** Given by the task itself; `name` and `version` are not looked up then. */
      readonly definition?: WorkflowDef | undefined;
      readonly input: JsonObject;
      readonly correlationId?: string | undefined;
      readonly priority: number;
      readonly parent?: Parent | undefined;
      /** What the start of the workflow that this comes from came in with. */
      readonly traceparent?: string | undefined;
    }
  /** Told to the parent: a `childEnded` command there. */
  | {
      readonly kind: 'childEnded';
      readonly workflowId: string;
      /** The parent's. */
      readonly taskId: string;
      readonly childWorkflowId: string;
      readonly status: EndedStatus;
      readonly output: JsonObject;
      readonly reason?: string | undefined;
      /** A child that was retried ends more than once; tells its ends apart. */
      readonly endTime: Instant;
    }
  /** Told to the parent: a `childRetried` command there. */
  | {
      readonly kind: 'childRetried';
      readonly workflowId: string;
      /** The parent's. */
      readonly taskId: string;
      readonly childWorkflowId: string;
      readonly retriedAt: Instant;
    }
  /** Told to the child whose task has ended: a `terminate` command there, also when it has yet to start. */
  | {
      readonly kind: 'terminateChild';
      readonly workflowId: string;
      /** The parent's. */
      readonly taskId: string;
      readonly reason: string;
    };

/** All that deciding needs to know about one workflow. */
export interface WorkflowState {
  readonly workflow: Workflow;
  /** Every row, ordered by `seq`. */
  readonly tasks: readonly Task[];
  /** Registered task definitions by name, for the names that this workflow uses. */
  readonly taskDefs: ReadonlyMap<string, TaskDef>;
  /** Conductor's defaults when absent. */
  readonly limits?: PayloadLimits | undefined;
}

/** Why a command had no effect. `late`: the task or workflow had already ended. `forbidden`: not with these rights. */
export interface RejectedCommand {
  readonly commandId: string;
  readonly reason: 'late' | 'not_found' | 'conflict' | 'invalid' | 'forbidden';
  readonly message: string;
}

/** What must be written, and nothing about how. */
export interface DeciderOutcome {
  /** The next state; the same object when nothing changed. */
  readonly state: WorkflowState;
  /** Rows of `state.tasks` that are new or differ. */
  readonly changedTasks: readonly Task[];
  readonly effects: readonly Effect[];
  readonly rejected: readonly RejectedCommand[];
  /**
   * Scripts to evaluate: those that this transition came to wait for; all that are waited for when it was a look at the
   * clock (`wake`, or no command) or a resume. So a lost one is said again by the next wake.
   */
  readonly needs: readonly ScriptNeed[];
  /** When this workflow must be looked at again although nothing is reported; `undefined` when never. */
  readonly wakeAt?: Instant | undefined;
  /** The bound of pure tasks per transition was reached: decide again with a `wake` in a new transition. */
  readonly unfinished: boolean;
}
