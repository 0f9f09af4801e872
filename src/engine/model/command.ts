import type { Instant } from '../../clock.js';
import type { TaskDef } from './definition.js';
import type { Task, TaskStatus, Workflow } from './execution.js';
import type { JsonObject } from './json.js';

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
    }
  /** A deadline passed or a sweep: look at the clock again. */
  | { readonly kind: 'wake' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'terminate'; readonly reason: string }
  | { readonly kind: 'retry' }
);

/** Something outside this workflow's rows that must happen because of the transition; stored as a row in the same commit. */
export type Effect = {
  readonly kind: 'startWorkflow';
  /** Derived, so that the same effect twice starts once. */
  readonly workflowId: string;
  readonly name: string;
  readonly version?: number | undefined;
  readonly input: JsonObject;
  readonly correlationId?: string | undefined;
  readonly priority: number;
};

/** All that deciding needs to know about one workflow. */
export interface WorkflowState {
  readonly workflow: Workflow;
  /** Every row, ordered by `seq`. */
  readonly tasks: readonly Task[];
  /** Registered task definitions by name, for the names that this workflow uses. */
  readonly taskDefs: ReadonlyMap<string, TaskDef>;
}

/** Why a command had no effect. `late`: the task or workflow had already ended. */
export interface RejectedCommand {
  readonly commandId: string;
  readonly reason: 'late' | 'not_found' | 'conflict' | 'invalid';
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
  /** When this workflow must be looked at again although nothing is reported; `undefined` when never. */
  readonly wakeAt?: Instant | undefined;
  /** The bound of pure tasks per transition was reached: decide again with a `wake` in a new transition. */
  readonly unfinished: boolean;
}
