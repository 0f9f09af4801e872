import type { Instant } from '../../clock.js';
import type { Command, RejectedCommand, WorkflowState } from '../model/command.js';

/** How an entry ended. `applied` and `repeated` are durable. */
export type EntryOutcome =
  | { readonly kind: 'applied'; readonly state: WorkflowState }
  | { readonly kind: 'rejected'; readonly rejection: RejectedCommand; readonly state: WorkflowState }
  /** An earlier commit recorded this command. */
  | { readonly kind: 'repeated'; readonly state: WorkflowState }
  /** A start met an older workflow by its id or its idempotency key. */
  | { readonly kind: 'existing'; readonly workflowId: string }
  | { readonly kind: 'missing' };

/** What somebody wants of one workflow. */
export type Request =
  | { readonly kind: 'start'; readonly command: Command; readonly initial: WorkflowState }
  | {
      readonly kind: 'command';
      readonly command: Command;
      /** The lease (poll count) on which this report rests; another one makes it late. */
      readonly lease?: number | undefined;
    }
  /** Keeps the leases of running tasks fresh (of this poll count only, where one is given); decides nothing. */
  | { readonly kind: 'extend'; readonly taskIds: readonly string[]; readonly lease?: number | undefined };

/**
 * Whether the commit has to record the command's id so that a repetition is recognised. The others are recognised by
 * what they changed: a start by the workflow's id, the end of an attempt by the row that has ended.
 */
export const isRecorded = (command: Command): boolean =>
  command.kind === 'updateTask' ? command.status === 'IN_PROGRESS' : RECORDED.has(command.kind);

const RECORDED: ReadonlySet<Command['kind']> = new Set(['pause', 'resume', 'terminate', 'retry']);

/** A request on its way through the committer. */
export interface Entry {
  readonly workflowId: string;
  readonly request: Request;
  readonly bytes: number;
  readonly since: Instant;
  /** The engine's own (reports of runs, timers, inbox): never refused, never given up while the process lives. */
  readonly internal: boolean;
  /** Came from a claimed timer: the transition re-arms or removes it. */
  readonly timer: boolean;
  /** The inbox row that this consumes. */
  readonly inboxId?: number | undefined;
  readonly resolve: (outcome: EntryOutcome) => void;
  readonly reject: (error: unknown) => void;
}
