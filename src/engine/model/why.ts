import type { Instant } from '../../clock.js';
import type { WorkflowStatus } from './execution.js';

/** The step that a reason is about. */
export interface Step {
  readonly reference: string;
  readonly taskId: string;
  readonly taskType: string;
}

/**
 * Why a workflow does not move, from a closed list: what is known, as data. Limits of rate and concurrency are not among
 * them, because nothing enforces any yet.
 */
export type Why =
  | { readonly kind: 'ended'; readonly status: WorkflowStatus; readonly at: Instant }
  /** Until somebody resumes it; `changedAt` is when anything last happened to it. */
  | { readonly kind: 'paused'; readonly changedAt: Instant }
  /** A worker has it. `node`: it runs in that process, whose life keeps the lease. */
  | ({
      readonly kind: 'lease';
      readonly holder: string;
      readonly since: Instant;
      readonly until: Instant;
      readonly node?: { readonly host: string; readonly pid: number } | undefined;
    } & Step)
  /** Time has to pass: of a WAIT, before another attempt, before the first hand-out, or as its worker asked. */
  | ({
      readonly kind: 'timer';
      readonly at: Instant;
      readonly cause: 'wait' | 'retry' | 'delay' | 'callback';
    } & Step)
  | ({ readonly kind: 'person'; readonly since: Instant } & Step)
  /** Somebody has to complete it through the API. */
  | ({ readonly kind: 'update'; readonly since: Instant } & Step)
  /** `since`: the last time that any worker asked for this type, or (`everAsked` false) when the task became due. */
  | ({ readonly kind: 'no_worker'; readonly since: Instant; readonly everAsked: boolean } & Step)
  /** Its turn comes after `ahead` others of its type, exact to 10,000; older ones of lower priority may come sooner. */
  | ({
      readonly kind: 'backlog';
      readonly ahead: number;
      readonly since: Instant;
      readonly askedAt: Instant;
    } & Step)
  /** `childStatus` undefined: it has yet to start. Ended: its end is on the way here. */
  | ({
      readonly kind: 'child';
      readonly childWorkflowId: string;
      readonly childStatus: WorkflowStatus | undefined;
      readonly since: Instant;
    } & Step)
  | ({ readonly kind: 'script'; readonly since: Instant } & Step)
  /** Not a fault found. `nextCheckAt` in the past: no engine node has looked although it should have. */
  | { readonly kind: 'unknown'; readonly nextCheckAt: Instant | undefined };

/** A reason with the sentence that says it to people. */
export type ExplainedWhy = Why & { readonly sentence: string };
