import type { AuditEvent } from '../../audit/audit.js';
import type { Instant } from '../../clock.js';
import {
  ClaimUnanswered,
  ExecutionStore,
  StoreFailure,
  type AbandonedInboxRow,
  type BatchRequest,
  type BatchResult,
  type ClaimedTask,
  type InboxRow,
  type Lease,
  type LockedWorkflow,
  type NewPayload,
  type NodeRecord,
  type Outlook,
  type PayloadLocation,
  type PollRecord,
  type StoredChange,
  type StoredExecution,
  type StoreReadings,
  type TaskClaim,
  type TaskLogLine,
  type UnusedPayload,
  type WorkflowWrite,
} from '../execution-store.js';
import { sourceTaskOf } from '../effect-source.js';
import type { Effect } from '../model/command.js';
import { isTerminalTask, type Task, type Workflow } from '../model/execution.js';
import { PayloadsLost } from '../payloads/payloads-lost.js';
import { refText } from '../payloads/placeholder.js';
import type { WorkflowSearch, WorkflowSummary } from '../ports.js';
import { firstByAge } from './first-by-age.js';
import { CrashPoints } from '../runtime/crash-points.js';
import { taskFacts, workflowFacts } from '../stream/facts.js';
import { handedBack, handedOver, handOverDeadline, keptLease, leaseUntil } from '../runtime/hand-over.js';
import { decodeCursor, encodeCursor, isText } from '../../cursor.js';

interface Row {
  task: Task;
  changedRevision: number;
  fairTag: number;
  due: boolean;
  lease: Lease | undefined;
  responseTimeoutMs: number;
  executionTimeoutMs: number;
}

interface Execution {
  workflow: Workflow;
  readonly tasks: Map<string, Row>;
  readonly applied: Map<string, Instant>;
}

interface Timer {
  dueAt: Instant;
  claimedBy: string | undefined;
}

interface StoredInboxRow extends InboxRow {
  dueAt: Instant;
  claimedBy: string | undefined;
  attempts: number;
  abandoned: boolean;
  readonly createdAt: Instant;
  problem?: string;
}

const STALE = (): StoreFailure =>
  new StoreFailure('stale', 'A workflow of this batch is not as it was known');

/** The store in maps: for tests and for trying the engine without a database. Nothing survives the process. */
export class MemoryExecutionStore extends ExecutionStore {
  private readonly executions = new Map<string, Execution>();
  private readonly workflowOfTask = new Map<string, string>();
  private readonly timers = new Map<string, Timer>();
  private readonly inbox = new Map<number, StoredInboxRow>();
  private readonly nodes = new Map<string, NodeRecord>();
  private readonly logLines: TaskLogLine[] = [];
  private readonly pollRecords = new Map<string, PollRecord>();
  private readonly payloads = new Map<string, NewPayload & { state: 'written' | 'used' | 'doomed' }>();
  private readonly locations = new Map<string, PayloadLocation & { isTaken: boolean }>();
  private lastInboxId = 0;
  /** What the transitions recorded, in order. */
  readonly audit: AuditEvent[] = [];

  constructor(private readonly crash: CrashPoints = new CrashPoints()) {
    super();
  }

  async commitBatch(
    { now, members, inboxOwner, assumed = false }: BatchRequest,
    decide: (locked: readonly LockedWorkflow[]) => readonly WorkflowWrite[],
  ): Promise<BatchResult> {
    const locked = members.flatMap((member): LockedWorkflow[] => {
      const execution = this.executions.get(member.workflowId);
      if (execution === undefined) return [];
      const isCurrent = execution.workflow.revision === member.knownRevision;
      return [
        {
          workflowId: member.workflowId,
          applied: new Set(member.commandIds.filter((id) => execution.applied.has(id))),
          changes: isCurrent
            ? undefined
            : {
                workflow: execution.workflow,
                timerAt: this.timers.get(member.workflowId)?.dueAt,
                tasks: rowsOf(execution).filter((row) => row.changedRevision > member.knownRevision),
              },
        },
      ];
    });
    const isStale = locked.length < members.length || locked.some(({ changes }) => changes !== undefined);
    if (assumed && isStale) throw STALE();
    const writes = decide(locked);
    await this.crash.reach('batch:before-commit');
    if (assumed && writes.some(({ isNew, workflow }) => isNew && this.winnerOver(workflow) !== undefined))
      throw STALE();
    this.usePayloads(writes.flatMap(({ payloadKeys }) => payloadKeys ?? []));
    const existing = new Map<string, string>();
    const held: InboxRow[] = [];
    for (const write of writes) {
      const winner = write.isNew ? this.winnerOver(write.workflow) : undefined;
      for (const id of write.consumed) this.inbox.delete(id);
      if (winner !== undefined) existing.set(write.workflow.workflowId, winner);
      else held.push(...this.store(write, now, inboxOwner));
    }
    await this.crash.reach('batch:after-commit');
    return {
      busy: [],
      missing: members.map((m) => m.workflowId).filter((id) => !this.executions.has(id)),
      existing,
      held: inboxOwner === undefined ? [] : held,
    };
  }

  private winnerOver({ workflowId, workflowName, idempotencyKey }: Workflow): string | undefined {
    if (this.executions.has(workflowId)) return workflowId;
    if (idempotencyKey === undefined) return undefined;
    for (const { workflow } of this.executions.values()) {
      if (workflow.idempotencyKey === idempotencyKey && workflow.workflowName === workflowName)
        return workflow.workflowId;
    }
    return undefined;
  }

  /** @returns the new inbox rows. */
  private store(write: WorkflowWrite, now: Instant, inboxOwner: string | undefined): InboxRow[] {
    const { workflow } = write;
    const { workflowId } = workflow;
    const execution: Execution = this.executions.get(workflowId) ?? {
      workflow,
      tasks: new Map(),
      applied: new Map(),
    };
    execution.workflow = workflow;
    this.executions.set(workflowId, execution);
    for (const { task, lease, fairTag, responseTimeoutMs, executionTimeoutMs } of write.tasks) {
      const before = execution.tasks.get(task.taskId);
      execution.tasks.set(task.taskId, {
        task,
        changedRevision: workflow.revision,
        fairTag: fairTag === 0 ? (before?.fairTag ?? 0) : fairTag,
        due: task.queued && task.dueAt <= now,
        lease: lease === 'keep' ? before && keptLease(before.lease, task, before) : lease,
        responseTimeoutMs,
        executionTimeoutMs,
      });
      this.workflowOfTask.set(task.taskId, workflowId);
    }
    for (const id of write.commandIds) execution.applied.set(id, now);
    this.writeTimer(workflowId, write.timer);
    const added = write.effects.flatMap((effect): InboxRow[] => {
      if (this.isInInbox(workflowId, effect)) return [];
      const row = { id: ++this.lastInboxId, sourceWorkflowId: workflowId, effect, attempts: 0 };
      this.inbox.set(row.id, { ...row, createdAt: now, dueAt: now, claimedBy: inboxOwner, abandoned: false });
      return [row];
    });
    this.audit.push(...write.audit);
    return added;
  }

  private isInInbox(sourceWorkflowId: string, effect: Effect): boolean {
    return [...this.inbox.values()].some(
      (row) =>
        row.sourceWorkflowId === sourceWorkflowId &&
        row.effect.kind === effect.kind &&
        row.effect.workflowId === effect.workflowId &&
        sourceTaskOf(row.effect) === sourceTaskOf(effect),
    );
  }

  private writeTimer(workflowId: string, timer: WorkflowWrite['timer']): void {
    if (timer.kind === 'keep') return;
    if (timer.kind === 'clear') {
      this.timers.delete(workflowId);
      return;
    }
    const before = this.timers.get(workflowId);
    if (timer.kind === 'earlier' && before !== undefined && before.dueAt <= timer.at) return;
    this.timers.set(workflowId, { dueAt: timer.at, claimedBy: undefined });
  }

  async claimTasks(claim: TaskClaim): Promise<readonly ClaimedTask[]> {
    const { taskType, takers, now, ageingMs, except = [] } = claim;
    const waiting = this.waiting().filter(
      ({ row }) => row.due && row.task.taskType === taskType && !except.includes(row.task.taskId),
    );
    waiting.sort(
      (a, b) =>
        b.row.task.priority - a.row.task.priority ||
        a.row.fairTag - b.row.fairTag ||
        a.row.task.seq - b.row.task.seq,
    );
    const taken = firstByAge(
      waiting,
      ({ row }) => row.task.priority,
      ({ row }) => row.task.priority + Math.trunc((now - row.task.dueAt) / ageingMs),
      ({ row }) => row.fairTag,
    ).slice(0, takers.length);
    for (const execution of new Set(taken.map((one) => one.execution))) {
      execution.workflow = { ...execution.workflow, revision: execution.workflow.revision + 1 };
    }
    const claimed = taken.flatMap(({ execution, row }, index): ClaimedTask[] => {
      const taker = takers[index];
      if (taker === undefined) return [];
      const { workerId, owner } = taker;
      const { workflow } = execution;
      row.task = handedOver(row.task, workerId, now);
      row.due = false;
      row.changedRevision = workflow.revision;
      row.lease = { owner, until: leaseUntil(now, row) };
      const deadline = handOverDeadline(row.task, row, now, owner !== undefined);
      if (deadline !== undefined) this.writeTimer(workflow.workflowId, { kind: 'earlier', at: deadline });
      return [
        {
          task: row.task,
          lease: row.lease,
          fairTag: row.fairTag,
          taker: index,
          definition: workflow.workflowDefinition,
          traceparent: workflow.traceparent,
          revisionBefore: workflow.revision - 1,
          revision: workflow.revision,
          deadline,
        },
      ];
    });
    try {
      await this.crash.reach('claim:after-commit');
      return claimed;
    } catch (error) {
      if (!(error instanceof StoreFailure) || error.kind !== 'unknown') throw error;
      throw new ClaimUnanswered(claimed, { cause: error });
    }
  }

  async returnTasks(tasks: readonly Pick<Task, 'taskId' | 'pollCount'>[], now: Instant) {
    for (const { taskId, pollCount } of tasks) {
      const execution = [...this.executions.values()].find((one) => one.tasks.has(taskId));
      const row = execution?.tasks.get(taskId);
      if (execution === undefined || row === undefined) continue;
      const { task, lease } = row;
      const isHeld = task.status === 'IN_PROGRESS' && !task.queued && task.pollCount === pollCount;
      if (!isHeld || lease?.owner !== undefined) continue;
      this.handBack(execution, row, now);
    }
    return { busy: [] };
  }

  private handBack(execution: Execution, row: Row, now: Instant): void {
    execution.workflow = { ...execution.workflow, revision: execution.workflow.revision + 1 };
    row.task = handedBack(row.task, now);
    row.due = true;
    row.lease = undefined;
    row.changedRevision = execution.workflow.revision;
  }

  private waiting(): { execution: Execution; row: Row }[] {
    return [...this.executions.values()].flatMap((execution) =>
      [...execution.tasks.values()]
        .filter(({ task }) => task.queued && !isTerminalTask(task.status))
        .map((row) => ({ execution, row })),
    );
  }

  private leased(): { execution: Execution; row: Row }[] {
    return [...this.executions.values()].flatMap((execution) =>
      [...execution.tasks.values()]
        .filter(({ task, lease }) => lease?.owner !== undefined && !isTerminalTask(task.status))
        .map((row) => ({ execution, row })),
    );
  }

  async heldBy(owner: string): Promise<ReadonlySet<string>> {
    return new Set(
      this.leased()
        .filter(({ row }) => row.lease?.owner === owner)
        .map(({ row }) => row.task.taskId),
    );
  }

  async release(owners: readonly string[], now: Instant, tasks?: readonly string[]) {
    const types = new Set<string>();
    for (const { execution, row } of this.leased()) {
      if (!owners.includes(row.lease?.owner ?? '')) continue;
      if (tasks !== undefined && !tasks.includes(row.task.taskId)) continue;
      this.handBack(execution, row, now);
      types.add(row.task.taskType);
    }
    if (tasks === undefined) {
      for (const claimed of [...this.timers.values(), ...this.inbox.values()]) {
        if (claimed.claimedBy !== undefined && owners.includes(claimed.claimedBy))
          claimed.claimedBy = undefined;
      }
    }
    return { types: [...types], busy: false };
  }

  async registerNode(node: NodeRecord): Promise<readonly string[]> {
    const replaced = [...this.nodes.values()]
      .filter(({ homeId, incarnation }) => homeId === node.homeId && incarnation !== node.incarnation)
      .map(({ incarnation }) => incarnation);
    for (const incarnation of replaced) this.nodes.delete(incarnation);
    this.nodes.set(node.incarnation, node);
    return replaced;
  }

  async heartbeat(incarnation: string, now: Instant): Promise<boolean> {
    const node = this.nodes.get(incarnation);
    if (node === undefined) return false;
    this.nodes.set(incarnation, { ...node, heartbeatAt: now });
    return true;
  }

  async removeNodes(
    silent: readonly Pick<NodeRecord, 'incarnation' | 'heartbeatAt'>[],
  ): Promise<readonly string[]> {
    const same = silent.filter(
      ({ incarnation, heartbeatAt }) => this.nodes.get(incarnation)?.heartbeatAt === heartbeatAt,
    );
    return same.map(({ incarnation }) => incarnation).filter((incarnation) => this.nodes.delete(incarnation));
  }

  async orphanedOwners(): Promise<readonly string[]> {
    const owners = [
      ...this.leased().map(({ row }) => row.lease?.owner),
      ...[...this.timers.values(), ...this.inbox.values()].map(({ claimedBy }) => claimedBy),
    ];
    return [...new Set(owners.filter((owner) => owner !== undefined))].filter(
      (owner) => !this.nodes.has(owner),
    );
  }

  async removeNode(incarnation: string): Promise<void> {
    this.nodes.delete(incarnation);
  }

  async listNodes(): Promise<readonly NodeRecord[]> {
    return [...this.nodes.values()];
  }

  async outlook(now: Instant, taskTypes: readonly string[]): Promise<Outlook> {
    const waiting = this.waiting();
    const times = [
      ...[...this.timers.values()].filter((t) => t.claimedBy === undefined).map((t) => t.dueAt),
      ...waiting.filter(({ row }) => !row.due).map(({ row }) => row.task.dueAt),
    ];
    return {
      nextDueAt: times.length === 0 ? undefined : Math.min(...times),
      inboxDue: this.dueInbox(now).length > 0,
      dueTypes: taskTypes.filter((type) => waiting.some(({ row }) => row.due && row.task.taskType === type)),
    };
  }

  async claimTimers(owner: string, now: Instant, limit: number): Promise<readonly string[]> {
    const due = [...this.timers]
      .filter(([, timer]) => timer.claimedBy === undefined && timer.dueAt <= now)
      .sort(([, a], [, b]) => a.dueAt - b.dueAt)
      .slice(0, limit);
    for (const [, timer] of due) timer.claimedBy = owner;
    return due.map(([workflowId]) => workflowId);
  }

  async returnTimer(workflowId: string, at: Instant): Promise<void> {
    if (this.timers.has(workflowId)) this.timers.set(workflowId, { dueAt: at, claimedBy: undefined });
  }

  async soonDue(after: Instant, until: Instant, limit: number): Promise<readonly string[]> {
    return [...this.timers]
      .filter(([, { dueAt, claimedBy }]) => claimedBy === undefined && dueAt > after && dueAt <= until)
      .sort(([, a], [, b]) => a.dueAt - b.dueAt)
      .slice(0, limit)
      .map(([workflowId]) => workflowId);
  }

  async claimedTimers(owner: string): Promise<readonly string[]> {
    return [...this.timers].flatMap(([workflowId, { claimedBy }]) =>
      claimedBy === owner ? [workflowId] : [],
    );
  }

  async unclaimTimers(owner: string, workflowIds: readonly string[]): Promise<void> {
    for (const [workflowId, timer] of this.timers) {
      if (timer.claimedBy === owner && workflowIds.includes(workflowId)) timer.claimedBy = undefined;
    }
  }

  async promoteDelayed(now: Instant, limit: number): Promise<readonly string[]> {
    const due = this.waiting()
      .filter(({ row }) => !row.due && row.task.dueAt <= now)
      .slice(0, limit);
    for (const { row } of due) row.due = true;
    return [...new Set(due.map(({ row }) => row.task.taskType))];
  }

  private dueInbox(now: Instant): StoredInboxRow[] {
    return [...this.inbox.values()].filter(
      (row) => row.claimedBy === undefined && !row.abandoned && row.dueAt <= now,
    );
  }

  async claimInbox(owner: string, now: Instant, limit: number): Promise<readonly InboxRow[]> {
    const rows = this.dueInbox(now).slice(0, limit);
    for (const row of rows) row.claimedBy = owner;
    return rows.map(({ id, sourceWorkflowId, effect, attempts }) => ({
      id,
      sourceWorkflowId,
      effect,
      attempts,
    }));
  }

  async returnInbox(id: number, problem: string, retryAt: Instant | undefined): Promise<void> {
    const row = this.inbox.get(id);
    if (row === undefined) return;
    row.claimedBy = undefined;
    row.attempts += 1;
    row.problem = problem;
    if (retryAt === undefined) row.abandoned = true;
    else row.dueAt = retryAt;
  }

  async dropInbox(ids: readonly number[]): Promise<void> {
    for (const id of ids) this.inbox.delete(id);
  }

  async claimedInbox(owner: string): Promise<readonly number[]> {
    return [...this.inbox.values()].filter(({ claimedBy }) => claimedBy === owner).map(({ id }) => id);
  }

  async unclaimInbox(owner: string, ids: readonly number[]): Promise<void> {
    for (const row of this.inbox.values()) {
      if (row.claimedBy === owner && ids.includes(row.id)) row.claimedBy = undefined;
    }
  }

  async isStartPending(parentWorkflowId: string, taskId: string, childWorkflowId: string): Promise<boolean> {
    return [...this.inbox.values()].some(
      ({ sourceWorkflowId, effect, abandoned }) =>
        !abandoned &&
        sourceWorkflowId === parentWorkflowId &&
        effect.kind === 'startWorkflow' &&
        effect.parent?.taskId === taskId &&
        effect.workflowId === childWorkflowId,
    );
  }

  async abandonedInbox(limit: number): Promise<readonly AbandonedInboxRow[]> {
    return [...this.inbox.values()]
      .filter(({ abandoned }) => abandoned)
      .slice(0, limit)
      .map(({ id, effect, sourceWorkflowId, createdAt, attempts, problem }) => ({
        id,
        kind: effect.kind,
        sourceWorkflowId,
        targetWorkflowId: effect.workflowId,
        createdAt,
        attempts,
        problem: problem ?? null,
      }));
  }

  async load(workflowId: string): Promise<StoredExecution | undefined> {
    const execution = this.executions.get(workflowId);
    if (execution === undefined) return undefined;
    const rows = rowsOf(execution);
    return {
      workflow: execution.workflow,
      tasks: rows.map(({ task }) => task),
      timerAt: this.timers.get(workflowId)?.dueAt,
      leases: new Map(rows.flatMap(({ task, lease }) => (lease === undefined ? [] : [[task.taskId, lease]]))),
    };
  }

  async task(taskId: string): Promise<Task | undefined> {
    const workflowId = this.workflowOfTask.get(taskId);
    return workflowId === undefined ? undefined : this.executions.get(workflowId)?.tasks.get(taskId)?.task;
  }

  async taskByReference(workflowId: string, reference: string): Promise<Task | undefined> {
    const execution = this.executions.get(workflowId);
    if (execution === undefined) return undefined;
    const tasks = rowsOf(execution).map(({ task }) => task);
    return (
      tasks.findLast(({ referenceTaskName }) => referenceTaskName === reference) ??
      tasks.findLast(({ referenceTaskName }) => referenceTaskName.startsWith(`${reference}__`))
    );
  }

  async search({ limit, skip = 0, cursor, ...query }: WorkflowSearch) {
    const after = cursor === undefined ? undefined : decodeCursor(cursor, isText);
    const found = this.found(query)
      .filter(
        ({ createTime, workflowId }) =>
          after === undefined || createTime < after.at || (createTime === after.at && workflowId < after.id),
      )
      .slice(skip);
    const items = found.slice(0, limit).map(summaryOf);
    const last = items.at(-1);
    return found.length > limit && last !== undefined
      ? { items, nextCursor: encodeCursor({ at: last.createTime, id: last.workflowId }) }
      : { items };
  }

  async revisions(workflowIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return new Map(
      workflowIds.flatMap((id) => {
        const execution = this.executions.get(id);
        return execution === undefined ? [] : [[id, execution.workflow.revision] as const];
      }),
    );
  }

  async changes(known: readonly { workflowId: string; since: number }[], maxTasks: number) {
    return known.flatMap(({ workflowId, since }): StoredChange[] => {
      const execution = this.executions.get(workflowId);
      if (execution === undefined) return [];
      const rows = rowsOf(execution).filter((row) => row.changedRevision > since);
      const tasks =
        rows.length > maxTasks ? undefined : rows.map(({ task, lease }) => taskFacts(task, lease));
      return [{ since, workflow: workflowFacts(execution.workflow), tasks }];
    });
  }

  async count(query: Omit<WorkflowSearch, 'limit' | 'skip' | 'cursor'>): Promise<number> {
    return Math.min(10_000, this.found(query).length);
  }

  private found(query: Omit<WorkflowSearch, 'limit' | 'skip' | 'cursor'>): Workflow[] {
    return [...this.executions.values()]
      .map(({ workflow }) => workflow)
      .filter(
        (workflow) =>
          (query.status === undefined || query.status.includes(workflow.status)) &&
          (query.workflowName === undefined || query.workflowName === workflow.workflowName) &&
          (query.correlationId === undefined || query.correlationId === workflow.correlationId) &&
          (query.from === undefined || workflow.createTime >= query.from) &&
          (query.to === undefined || workflow.createTime < query.to),
      )
      .sort((a, b) => b.createTime - a.createTime || (a.workflowId < b.workflowId ? 1 : -1));
  }

  async queueSizes(taskTypes?: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const sizes = new Map<string, number>((taskTypes ?? []).map((type) => [type, 0]));
    for (const { row } of this.waiting()) {
      const { taskType } = row.task;
      if (taskTypes === undefined || sizes.has(taskType)) sizes.set(taskType, (sizes.get(taskType) ?? 0) + 1);
    }
    return sizes;
  }

  async appendLogs(lines: readonly TaskLogLine[]): Promise<void> {
    this.logLines.push(...lines);
  }

  async logs(taskId: string): Promise<readonly TaskLogLine[]> {
    return this.logLines.filter((line) => line.taskId === taskId).slice(0, 1_000);
  }

  async recordPolls(polls: readonly PollRecord[]): Promise<void> {
    for (const poll of polls) {
      this.pollRecords.set(JSON.stringify([poll.queueName, poll.domain, poll.workerId]), poll);
    }
  }

  async polls(taskType?: string): Promise<readonly PollRecord[]> {
    return [...this.pollRecords.values()].filter(
      ({ queueName }) => taskType === undefined || queueName === taskType,
    );
  }

  async tasksAhead(taskId: string): Promise<number | undefined> {
    const due = this.waiting().flatMap(({ row }) => (row.due ? [row] : []));
    const me = due.find(({ task }) => task.taskId === taskId);
    if (me === undefined) return undefined;
    const isBefore = ({ task, fairTag }: Row): boolean =>
      task.priority > me.task.priority ||
      (task.priority === me.task.priority &&
        (fairTag < me.fairTag || (fairTag === me.fairTag && task.seq < me.task.seq)));
    const before = due.filter((row) => row.task.taskType === me.task.taskType && isBefore(row));
    return Math.min(10_000, before.length);
  }

  async readings(taskTypes: readonly string[]): Promise<StoreReadings> {
    const due = [...this.waiting()].filter(({ row }) => row.due).map(({ row }) => row.task);
    const types = new Set([...taskTypes, ...due.map(({ taskType }) => taskType)]);
    const inState = (state: string) => {
      const found = [...this.executions.values()].filter(({ workflow }) => workflow.status === state);
      return { count: found.length, isEstimate: false };
    };
    const inbox = [...this.inbox.values()].filter((row) => row.claimedBy === undefined && !row.abandoned);
    const timers = [...this.timers.values()].filter(({ claimedBy }) => claimedBy === undefined);
    return {
      running: inState('RUNNING'),
      paused: inState('PAUSED'),
      queues: [...types].map((taskType) => {
        const mine = due.filter((task) => task.taskType === taskType);
        return { taskType, waiting: mine.length, oldestDueAt: lowest(mine.map(({ dueAt }) => dueAt)) };
      }),
      inbox: { waiting: inbox.length, oldestAt: lowest(inbox.map(({ dueAt }) => dueAt)) },
      nextTimerAt: lowest(timers.map(({ dueAt }) => dueAt)),
    };
  }

  async fairTags(taskTypes: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const lowest = new Map<string, number>();
    for (const { row } of this.waiting()) {
      const { taskType } = row.task;
      if (!row.due || !taskTypes.includes(taskType)) continue;
      lowest.set(taskType, Math.min(row.fairTag, lowest.get(taskType) ?? Infinity));
    }
    return lowest;
  }

  private usePayloads(keys: readonly string[]): void {
    const lost = keys.filter((key) => (this.payloads.get(key)?.state ?? 'doomed') === 'doomed');
    if (lost.length > 0) throw new PayloadsLost(lost);
    for (const key of keys) {
      const payload = this.payloads.get(key);
      if (payload !== undefined) payload.state = 'used';
    }
  }

  async registerPayload(payload: NewPayload): Promise<void> {
    this.payloads.set(payload.key, { ...payload, state: 'written' });
  }

  async takeUnusedPayloads(writtenBefore: Instant, limit: number): Promise<readonly UnusedPayload[]> {
    const unused = [...this.payloads.values()]
      .filter(
        ({ state, createdAt }) => state === 'doomed' || (state === 'written' && createdAt < writtenBefore),
      )
      .slice(0, limit);
    for (const payload of unused) payload.state = 'doomed';
    return unused.map(({ key, store }) => ({ key, store }));
  }

  async issuePayloadLocation(location: PayloadLocation): Promise<void> {
    this.locations.set(location.token, { ...location, isTaken: false });
  }

  async payloadLocation(token: string): Promise<PayloadLocation | undefined> {
    const found = this.locations.get(token);
    if (found === undefined) return undefined;
    const { isTaken: _, ...location } = found;
    return location;
  }

  async takePayloadLocation(token: string, now: Instant): Promise<boolean> {
    const location = this.locations.get(token);
    if (location === undefined || location.operation !== 'WRITE') return false;
    if (location.isTaken || location.expiresAt <= now) return false;
    location.isTaken = true;
    return true;
  }

  async settlePayloadLocation(token: string, ref: string | undefined): Promise<void> {
    const location = this.locations.get(token);
    if (location !== undefined)
      this.locations.set(token, { ...location, ref, isTaken: ref !== undefined && location.isTaken });
  }

  async usedPayload(key: string): Promise<string | undefined> {
    const payload = this.payloads.get(key);
    return payload?.state === 'used' ? refText(payload) : undefined;
  }

  async forgetPayloads(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      if (this.payloads.get(key)?.state === 'doomed') this.payloads.delete(key);
    }
  }

  async close(): Promise<void> {}

  async pruneCommands(before: Instant, limit: number): Promise<number> {
    let count = 0;
    for (const { applied } of this.executions.values()) {
      for (const [id, at] of applied) {
        if (count === limit) return count;
        if (at < before && applied.delete(id)) count += 1;
      }
    }
    return count;
  }
}

const lowest = (times: readonly Instant[]): Instant | undefined =>
  times.length === 0 ? undefined : times.reduce((a, b) => Math.min(a, b));

const rowsOf = ({ tasks }: Execution): Row[] => [...tasks.values()].sort((a, b) => a.task.seq - b.task.seq);

const summaryOf = (workflow: Workflow): WorkflowSummary => ({
  workflowId: workflow.workflowId,
  workflowName: workflow.workflowName,
  workflowVersion: workflow.workflowVersion,
  status: workflow.status,
  correlationId: workflow.correlationId,
  priority: workflow.priority,
  createTime: workflow.createTime,
  updateTime: workflow.updateTime,
  endTime: workflow.endTime,
  reasonForIncompletion: workflow.reasonForIncompletion,
  failedReferenceTaskNames: workflow.failedReferenceTaskNames,
});
