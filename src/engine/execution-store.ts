import type { AuditEvent } from '../audit/audit.js';
import type { Instant } from '../clock.js';
import { AppError } from '../errors.js';
import type { Effect } from './model/command.js';
import type { Task, Workflow } from './model/execution.js';
import type { WorkflowSearch, WorkflowSummary } from './ports.js';
import type { TaskFacts, WorkflowFacts } from './stream/facts.js';

/*
 * What the runtime needs of a store. Two implementations (`postgres/`, `memory/`) pass the same conformance suite.
 * Every method is one transaction; time is always an argument.
 */

/** A workflow that a batch wants to change, and what the caller already knows of it. */
export interface BatchMember {
  readonly workflowId: string;
  /** The revision in the caller's cache; -1 for nothing known. */
  readonly knownRevision: number;
  /** Asked back in `applied` when an earlier commit recorded them. */
  readonly commandIds: readonly string[];
}

/** What changed since `knownRevision`: the workflow whole, its tasks only where they differ. */
export interface WorkflowChanges {
  readonly workflow: Workflow;
  readonly tasks: readonly StoredTask[];
  readonly timerAt: Instant | undefined;
}

/** A task row with what only the store and the hand-over know of it. */
export interface StoredTask {
  readonly task: Task;
  readonly fairTag: number;
}

export interface LockedWorkflow {
  readonly workflowId: string;
  /** `undefined` when the caller's knowledge is current. */
  readonly changes: WorkflowChanges | undefined;
  readonly applied: ReadonlySet<string>;
}

/** Who holds a task: a run in the process `owner`, which heartbeats; or, with `owner` undefined, a worker outside. */
export interface Lease {
  readonly owner: string | undefined;
  readonly until: Instant;
}

export interface TaskWrite {
  readonly task: Task;
  /** `ended`: of a stored row that somebody held, only status, output and times changed, and the lease ends. */
  readonly kind: 'new' | 'ended' | 'changed';
  /** False when `input` is as stored, so that it is not written again. */
  readonly inputChanged: boolean;
  readonly outputChanged: boolean;
  /** `keep`: as stored. */
  readonly lease: 'keep' | Lease | undefined;
  readonly fairTag: number;
  /** 0 means off. */
  readonly responseTimeoutMs: number;
  readonly executionTimeoutMs: number;
}

/** `earlier` never moves a deadline to later; `exactly` does. */
export type TimerWrite =
  | { readonly kind: 'keep' }
  | { readonly kind: 'earlier'; readonly at: Instant }
  | { readonly kind: 'exactly'; readonly at: Instant }
  | { readonly kind: 'clear' };

/** Everything that one transition of one workflow stores. `workflow.revision` is the new revision. */
export interface WorkflowWrite {
  readonly workflow: Workflow;
  readonly isNew: boolean;
  /** False when revision, update time and task counts are all that changed of the workflow's own row. */
  readonly headChanged: boolean;
  readonly payloadChanged: boolean;
  readonly taskCount: number;
  readonly openTaskCount: number;
  readonly tasks: readonly TaskWrite[];
  readonly timer: TimerWrite;
  /** Become inbox rows, once each. */
  readonly effects: readonly Effect[];
  /** Values in the payload store that these rows refer to from now on. */
  readonly payloadKeys?: readonly string[] | undefined;
  readonly commandIds: readonly string[];
  /** Inbox rows that this transition consumes. */
  readonly consumed: readonly number[];
  readonly audit: readonly AuditEvent[];
}

export interface BatchRequest {
  readonly now: Instant;
  /** Existing workflows, in any order. */
  readonly members: readonly BatchMember[];
  /** Waits for row locks (bounded) instead of skipping what others hold. */
  readonly wait: boolean;
  /**
   * Takes for granted that every member is at its known revision, that no command was recorded before and that every start
   * is new. Where that is so, it saves a turn to the store; where not, the batch rejects as `stale` and nothing is stored.
   */
  readonly assumed?: boolean;
  /** Holds the inbox rows that this batch adds, from the beginning; without, they are there for whoever claims them. */
  readonly inboxOwner?: string | undefined;
}

export interface BatchResult {
  /** Locked by somebody else now: try again. */
  readonly busy: readonly string[];
  readonly missing: readonly string[];
  /** New workflows that were not inserted, because this id (or idempotency key) exists: the id that won. */
  readonly existing: ReadonlyMap<string, string>;
  /** The new inbox rows that `inboxOwner` holds. */
  readonly held: readonly InboxRow[];
  /** Round trips of the transaction, with BEGIN and COMMIT; absent in a store without any. */
  readonly statements?: number;
}

export interface TaskClaim {
  readonly taskType: string;
  /** One per task that is wanted. */
  readonly takers: readonly { readonly workerId: string; readonly owner: string | undefined }[];
  readonly now: Instant;
  /** A task that waits counts one priority higher per so many milliseconds; at least 1. */
  readonly ageingMs: number;
  /** Tasks that are left to others. */
  readonly except?: readonly string[] | undefined;
}

export interface ClaimedTask {
  readonly task: Task;
  readonly lease: Lease;
  readonly fairTag: number;
  /** Index into `takers`. */
  readonly taker: number;
  readonly definition: Workflow['workflowDefinition'];
  /** Of the workflow's start. */
  readonly traceparent: string | undefined;
  /** Of the workflow, before and after the claim, so that a cache can follow. */
  readonly revisionBefore: number;
  readonly revision: number;
  /** When somebody must look at it if nothing is heard of it; the workflow's timer is no later. */
  readonly deadline: Instant | undefined;
}

/** One run of one process. */
export interface NodeRecord {
  /** Random per process run. */
  readonly incarnation: string;
  /** Which installation this is: the same home has at most one live process. */
  readonly homeId: string;
  readonly host: string;
  readonly pid: number;
  readonly roles: readonly string[];
  readonly startedAt: Instant;
  readonly heartbeatAt: Instant;
}

export interface InboxRow {
  readonly id: number;
  readonly sourceWorkflowId: string;
  readonly effect: Effect;
  readonly attempts: number;
}

/** A message between workflows that nobody could deliver. */
export interface AbandonedInboxRow {
  readonly id: number;
  readonly kind: Effect['kind'];
  readonly sourceWorkflowId: string;
  readonly targetWorkflowId: string;
  readonly createdAt: Instant;
  readonly attempts: number;
  readonly problem: string | null;
}

/** A value that is about to be put into a payload store. */
export interface NewPayload {
  readonly key: string;
  readonly workflowId: string;
  readonly store: string;
  readonly bytes: number;
  readonly createdAt: Instant;
}

/** Conductor's names for where a value stands. */
export const PAYLOAD_TYPES = ['WORKFLOW_INPUT', 'WORKFLOW_OUTPUT', 'TASK_INPUT', 'TASK_OUTPUT'] as const;
export type PayloadType = (typeof PAYLOAD_TYPES)[number];

/** Where a client may write a value, or read one, for a while. */
export interface PayloadLocation {
  /** Unguessable: whoever has it may use the place. */
  readonly token: string;
  readonly operation: 'READ' | 'WRITE';
  readonly payloadType: PayloadType;
  readonly issuedTo: string;
  readonly expiresAt: Instant;
  /** The value's reference; none where nothing was written yet. */
  readonly ref?: string | undefined;
}

export interface UnusedPayload {
  readonly key: string;
  readonly store: string;
}

export interface TaskLogLine {
  readonly taskId: string;
  readonly createdTime: Instant;
  readonly log: string;
}

export interface PollRecord {
  readonly queueName: string;
  readonly workerId: string;
  readonly domain: string;
  readonly lastPollTime: Instant;
}

/** What waits without a claim, asked by every node once a second and after a wake-up. */
export interface Outlook {
  /** The earliest timer or delayed task; `undefined` when there is none. */
  readonly nextDueAt: Instant | undefined;
  readonly inboxDue: boolean;
  /** Of the asked types, those with at least one due task. */
  readonly dueTypes: readonly string[];
}

/** A count that is exact while it is small: beyond 10,000 it comes from the planner's statistics. */
export interface Estimate {
  readonly count: number;
  readonly isEstimate: boolean;
}

/** How full the store is, read without counting more than 10,000 rows of anything. */
export interface StoreReadings {
  readonly running: Estimate;
  readonly paused: Estimate;
  /**
   * Tasks that are due and wait for a worker. `waiting` stops at 10,000, or at the type's share of 40,000 when several
   * types have more than 100; `oldestDueAt` is among the counted ones.
   */
  readonly queues: readonly {
    readonly taskType: string;
    readonly waiting: number;
    readonly oldestDueAt: Instant | undefined;
  }[];
  /** Effects on other workflows that nobody has taken yet; stops at 10,000. */
  readonly inbox: { readonly waiting: number; readonly oldestAt: Instant | undefined };
  /** The earliest timer that nobody has taken. */
  readonly nextTimerAt: Instant | undefined;
}

/** A workflow as it is stored, with what only rows know: who holds its tasks and when it wakes. */
export interface StoredExecution {
  readonly workflow: Workflow;
  readonly tasks: readonly Task[];
  readonly timerAt: Instant | undefined;
  readonly leases: ReadonlyMap<string, Lease>;
}

/** What changed in a workflow after revision `since`, without payloads. */
export interface StoredChange {
  readonly since: number;
  readonly workflow: WorkflowFacts;
  /** Each with its lease; `undefined` when more changed than was asked for. */
  readonly tasks: readonly TaskFacts[] | undefined;
}

/**
 * Why a batch was not stored. `data`: this input cannot be stored, ever (SQLSTATE 22, 23). `transient`: nothing was
 * stored, try again (40, 08, 53, 57). `unknown`: the connection was lost at COMMIT; the commands' ids will tell. `stale`:
 * nothing was stored, because it was not as `assumed`.
 */
export class StoreFailure extends AppError {
  readonly code: string;
  readonly status: number;
  override readonly retryable: boolean;

  constructor(
    readonly kind: 'data' | 'transient' | 'unknown' | 'stale',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = kind === 'data' ? 'INVALID_INPUT' : 'UNAVAILABLE';
    this.status = kind === 'data' ? 400 : 503;
    this.retryable = kind !== 'data';
  }
}

/**
 * What a claim for workers outside took is known, whether it is stored is not: the connection was lost at COMMIT. Nobody
 * else will ever ask for these tasks, so they have to be returned (`returnTasks`).
 */
export class ClaimUnanswered extends StoreFailure {
  constructor(
    readonly claimed: readonly ClaimedTask[],
    options?: ErrorOptions,
  ) {
    super(
      'unknown',
      'PostgreSQL did not say whether it handed tasks out; they are handed out again.',
      options,
    );
  }
}

export abstract class ExecutionStore {
  /**
   * Locks the members, tells `decide` what changed, stores what it answers, and commits.
   *
   * `decide` is called once, synchronously, between locking and writing; it gets only the members that were locked.
   * Rejects with StoreFailure; anything else is a defect.
   */
  abstract commitBatch(
    request: BatchRequest,
    decide: (locked: readonly LockedWorkflow[]) => readonly WorkflowWrite[],
  ): Promise<BatchResult>;

  /**
   * Leases due tasks: priority with age first, then by fair tag, then in order of creation; what others hold is skipped.
   * Age lifts the tasks of a lower priority over those of a higher one; it changes nothing among those of one priority.
   *
   * Rejects with ClaimUnanswered when workers outside may hold tasks that they were never told of. What this process took
   * for itself without an answer is found by `heldBy`.
   *
   * @param taken is told once what is to be handed out, as soon as it is known and perhaps before it is durable: nobody
   * may begin with it, but others may claim meanwhile. Where it is not told, nothing is known before the end.
   */
  abstract claimTasks(
    claim: TaskClaim,
    taken?: (tasks: readonly ClaimedTask[]) => void,
  ): Promise<readonly ClaimedTask[]>;
  /**
   * Hands tasks back that were claimed for workers outside, due at once; no retry is consumed. A task that is not held by
   * this claim (any more) is left as it is.
   *
   * @returns those that somebody has locked now, perhaps the claim itself: ask again for them.
   */
  abstract returnTasks(
    tasks: readonly Pick<Task, 'taskId' | 'pollCount'>[],
    now: Instant,
  ): Promise<{ readonly busy: readonly string[] }>;
  /** The open tasks that this process run holds. */
  abstract heldBy(owner: string): Promise<ReadonlySet<string>>;
  /**
   * Hands everything that these process runs hold back: tasks (no retry is consumed), timers, inbox rows.
   *
   * @param tasks only these tasks, and nothing else.
   * @returns the task types that have something to do now, and whether some rows were busy (call again).
   */
  abstract release(
    owners: readonly string[],
    now: Instant,
    tasks?: readonly string[],
  ): Promise<{ types: readonly string[]; busy: boolean }>;

  /** Stores the node and removes others of the same home. @returns the incarnations that were removed. */
  abstract registerNode(node: NodeRecord): Promise<readonly string[]>;
  /** @returns false when the row is gone: this process was declared dead and its leases may be elsewhere. */
  abstract heartbeat(incarnation: string, now: Instant): Promise<boolean>;
  /** Removes nodes that did not say anything since they were looked at. @returns their incarnations. */
  abstract removeNodes(
    silent: readonly Pick<NodeRecord, 'incarnation' | 'heartbeatAt'>[],
  ): Promise<readonly string[]>;
  /** Incarnations that hold something and have no node row: their release was interrupted. */
  abstract orphanedOwners(): Promise<readonly string[]>;
  abstract removeNode(incarnation: string): Promise<void>;
  abstract listNodes(): Promise<readonly NodeRecord[]>;

  abstract outlook(now: Instant, taskTypes: readonly string[]): Promise<Outlook>;
  /** Due timers, each to one caller. They stay stored until the wake's own commit moves or removes them. */
  abstract claimTimers(owner: string, now: Instant, limit: number): Promise<readonly string[]>;
  /** The workflows whose timers come due after one time and until another, the first to come first; claims nothing. */
  abstract soonDue(after: Instant, until: Instant, limit: number): Promise<readonly string[]>;
  /** Hands a claimed timer back, due at `at`. */
  abstract returnTimer(workflowId: string, at: Instant): Promise<void>;
  /** The workflows whose timers `owner` holds. */
  abstract claimedTimers(owner: string): Promise<readonly string[]>;
  /** Lets go of timers that `owner` holds, as if they had never been claimed. */
  abstract unclaimTimers(owner: string, workflowIds: readonly string[]): Promise<void>;
  /** Makes delayed tasks whose time has come claimable. @returns their types. */
  abstract promoteDelayed(now: Instant, limit: number): Promise<readonly string[]>;
  /** Due rows in their order, at most `limit`, and fewer when they are large. */
  abstract claimInbox(owner: string, now: Instant, limit: number): Promise<readonly InboxRow[]>;
  /** Hands an inbox row back with what went wrong; `retryAt` undefined gives it up for good. */
  abstract returnInbox(id: number, problem: string, retryAt: Instant | undefined): Promise<void>;
  /** Removes rows whose target is not there to consume them. */
  abstract dropInbox(ids: readonly number[]): Promise<void>;
  /** The rows that `owner` holds. */
  abstract claimedInbox(owner: string): Promise<readonly number[]>;
  /** Lets go of rows that `owner` holds, as if they had never been claimed. */
  abstract unclaimInbox(owner: string, ids: readonly number[]): Promise<void>;
  /** Whether the row that starts this child is still there and not given up. */
  abstract isStartPending(
    parentWorkflowId: string,
    taskId: string,
    childWorkflowId: string,
  ): Promise<boolean>;
  /** Rows that were given up, oldest first. */
  abstract abandonedInbox(limit: number): Promise<readonly AbandonedInboxRow[]>;

  abstract load(workflowId: string): Promise<StoredExecution | undefined>;
  abstract task(taskId: string): Promise<Task | undefined>;
  /**
   * The newest attempt with this reference name. A loop's tasks are found with their iteration (`ref__3`), or without:
   * then that of the newest iteration.
   */
  abstract taskByReference(workflowId: string, reference: string): Promise<Task | undefined>;
  abstract search(
    query: WorkflowSearch,
  ): Promise<{ items: readonly WorkflowSummary[]; nextCursor?: string | undefined }>;
  /** The revisions of these workflows; unknown ones are left out. */
  abstract revisions(workflowIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** What changed in these workflows after the given revisions (-1: everything); unknown ones are left out. */
  abstract changes(
    known: readonly { readonly workflowId: string; readonly since: number }[],
    maxTasks: number,
  ): Promise<readonly StoredChange[]>;
  /** Exact to 10,000. */
  abstract count(query: Omit<WorkflowSearch, 'limit' | 'skip' | 'cursor'>): Promise<number>;

  /** Tasks that wait to be handed out, per type; all types when none is named. */
  abstract queueSizes(taskTypes?: readonly string[]): Promise<ReadonlyMap<string, number>>;
  abstract appendLogs(lines: readonly TaskLogLine[]): Promise<void>;
  abstract logs(taskId: string): Promise<readonly TaskLogLine[]>;
  abstract recordPolls(polls: readonly PollRecord[]): Promise<void>;
  abstract polls(taskType?: string): Promise<readonly PollRecord[]>;
  /**
   * Due tasks of its type that are handed out before this one, without those whose turn is the same; exact to 10,000;
   * undefined when it does not wait.
   */
  abstract tasksAhead(taskId: string): Promise<number | undefined>;
  /** For /metrics: also of these task types when nothing of them waits, and of at most 200 others. */
  abstract readings(taskTypes: readonly string[]): Promise<StoreReadings>;
  /** The lowest fair tag among the waiting tasks of each type. */
  abstract fairTags(taskTypes: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** The store's own connections; `waiting` are those who wait for one. Undefined in a store without any. */
  get connections(): { readonly total: number; readonly idle: number; readonly waiting: number } | undefined {
    return undefined;
  }
  /** Before the value is written. It is unused until a commit names it among its `payloadKeys`. */
  abstract registerPayload(payload: NewPayload): Promise<void>;
  /**
   * Values that nobody can refer to any more: those that no commit used and that were registered before `writtenBefore`,
   * and those of removed workflows. A commit that names one of them from now on fails with PayloadsLost.
   */
  abstract takeUnusedPayloads(writtenBefore: Instant, limit: number): Promise<readonly UnusedPayload[]>;
  abstract issuePayloadLocation(location: PayloadLocation): Promise<void>;
  /** Also one that has expired, for as long as it is remembered. */
  abstract payloadLocation(token: string): Promise<PayloadLocation | undefined>;
  /** Reserves a place for one who writes there now. @returns false when it was written, or has expired. */
  abstract takePayloadLocation(token: string, now: Instant): Promise<boolean>;
  /** What was written there; `undefined` lets somebody write again. */
  abstract settlePayloadLocation(token: string, ref: string | undefined): Promise<void>;
  /** The reference of a value that some commit used. */
  abstract usedPayload(key: string): Promise<string | undefined>;
  /** The values are removed from their store. */
  abstract forgetPayloads(keys: readonly string[]): Promise<void>;
  /** Lets go of what the store holds open; nothing may be asked after. */
  abstract close(): Promise<void>;
  /** Forgets up to `limit` command ids that were recorded before `before`. @returns how many. */
  abstract pruneCommands(before: Instant, limit: number): Promise<number>;
}
