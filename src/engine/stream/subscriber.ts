import type { Instant } from '../../clock.js';
import type { WorkflowStatus } from '../model/execution.js';
import { leavesGap, mergeChanges, type WorkflowChange } from './change.js';
import { EventStream, sse } from './event-stream.js';
import type { WorkflowFacts } from './facts.js';

/** What a client wants to hear of: one workflow, or all that match (absent: any). */
export interface Interest {
  readonly workflowId?: string | undefined;
  readonly workflowName?: string | undefined;
  readonly status?: readonly WorkflowStatus[] | undefined;
  readonly correlationId?: string | undefined;
  /** False: only how the workflows fare. */
  readonly tasks: boolean;
}

// What a slow client may be behind; over it a `reset` says what a thousand events would.
const MAX_PENDING_WORKFLOWS = 200;
const MAX_PENDING_TASKS = 5_000;
// That a workflow left the wished status is told to who may show it; so many are remembered on either side.
const MAX_TOLD = 1_000;

/**
 * One client's stream of server-sent events.
 *
 * Pulls: an event is made when the connection takes it. What changes meanwhile is merged into one event per workflow,
 * so that a slow client gets fewer and newer events, and memory stays bounded.
 */
export class Subscriber extends EventStream {
  private readonly pending = new Map<string, { change: WorkflowChange; id: string }>();
  /** Workflows that the client was told of in a status that it wished for. */
  private readonly told = new Set<string>();
  /** Workflows that it knows not to be in one. */
  private readonly out = new Set<string>();
  /** Some that were told are remembered no more. */
  private hasForgotten = false;
  private pendingTasks = 0;

  /**
   * @param known the revision that the client has of the workflow that it follows; -1 for nothing.
   * @param begin of what was there before, the client may have been told elsewhere (a list, an earlier stream).
   */
  constructor(
    readonly interest: Interest,
    private known = -1,
    private begin: Instant = -Infinity,
  ) {
    super({ since: interest.workflowId === undefined ? undefined : known });
  }

  /** The revision up to which this client has been (or is about to be) told. */
  get knownRevision(): number {
    return this.known;
  }

  /** @returns false when the client would miss something: what changed since `knownRevision` must be offered. */
  offer(change: WorkflowChange, id: string): boolean {
    if (this.isOver) return true;
    const { workflow } = change;
    if (this.interest.workflowId === undefined) {
      if (!this.matches(workflow)) return true;
    } else {
      if (workflow.revision <= this.known) return true;
      if (change.since > this.known) return false;
      this.known = workflow.revision;
    }
    this.remember(change, id);
    this.flow();
    return true;
  }

  /** Something was missed until `at`: the client must fetch what it shows. */
  reset(id: string, at?: Instant): void {
    if (at !== undefined) {
      this.begin = Math.max(this.begin, at);
      this.out.clear();
    }
    this.pending.clear();
    this.pendingTasks = 0;
    this.tellReset(id);
  }

  protected nextEvent(): string | undefined {
    const [first] = this.pending;
    if (first === undefined) return undefined;
    const [workflowId, { change, id }] = first;
    this.pending.delete(workflowId);
    this.pendingTasks -= change.tasks?.size ?? 0;
    return eventOf(change, id, this.interest.tasks);
  }

  private remember(change: WorkflowChange, id: string): void {
    const { workflowId } = change.workflow;
    const before = this.pending.get(workflowId)?.change;
    // Where something is missing in between, the newer one alone: its `since` tells the client.
    const next = before === undefined || leavesGap(before, change) ? change : mergeChanges(before, change);
    this.pendingTasks += (next.tasks?.size ?? 0) - (before?.tasks?.size ?? 0);
    // To the end: events leave in the order of their ids.
    this.pending.delete(workflowId);
    this.pending.set(workflowId, { change: next, id });
    if (this.pending.size > MAX_PENDING_WORKFLOWS || this.pendingTasks > MAX_PENDING_TASKS) this.reset(id);
  }

  private matches(workflow: WorkflowFacts): boolean {
    const { workflowName, correlationId, status } = this.interest;
    if (workflowName !== undefined && workflow.workflowName !== workflowName) return false;
    if (correlationId !== undefined && workflow.correlationId !== correlationId) return false;
    if (status === undefined) return true;
    const { workflowId, createTime } = workflow;
    if (status.includes(workflow.status)) {
      this.out.delete(workflowId);
      if (addNewest(this.told, workflowId)) this.hasForgotten = true;
      return true;
    }
    const isKnownOut = this.out.has(workflowId);
    addNewest(this.out, workflowId);
    if (this.told.delete(workflowId)) return true;
    return !isKnownOut && (this.hasForgotten || createTime <= this.begin);
  }
}

/** @returns whether the oldest had to go. */
function addNewest(ids: Set<string>, id: string): boolean {
  ids.delete(id);
  ids.add(id);
  if (ids.size <= MAX_TOLD) return false;
  for (const oldest of ids) return ids.delete(oldest);
  return false;
}

function eventOf({ since, workflow, tasks }: WorkflowChange, id: string, withTasks: boolean): string {
  if (!withTasks) return sse('change', { ...workflow, since }, id);
  if (tasks === undefined) {
    return sse('reset', { workflowId: workflow.workflowId, revision: workflow.revision }, id);
  }
  return sse('change', { ...workflow, since, tasks: [...tasks.values()] }, id);
}
