import type { Instant } from '../../clock.js';
import { decide } from '../decider/decide.js';
import type { ExecutionStore, NodeRecord, PollRecord, StoredExecution } from '../execution-store.js';
import type { TaskDef } from '../model/definition.js';
import { isTerminalTask, isTerminalWorkflow, type Task, type WorkflowStatus } from '../model/execution.js';
import type { ExplainedWhy, Step, Why } from '../model/why.js';
import { inWords } from './why-in-words.js';

// A worker that did not ask for so long is not there.
const POLL_FRESH_MS = 60_000;
// Further away than this is "until somebody says so": a WAIT without an end.
const NEVER_MS = 50 * 366 * 86_400_000;
// A fork of thousands has one answer as a rule; so many steps show it, and each costs a look into its queue at most.
const MAX_STEPS = 50;
const MAX_QUEUED = 10;

/** Why a workflow does not move; `leftOut` open steps were not asked. */
export interface Explanation {
  readonly reasons: readonly ExplainedWhy[];
  readonly leftOut: number;
}

/** Answers for one workflow, by reading only what indexes lead to. Never empty: what cannot be explained says `unknown`. */
export async function explain(
  stored: StoredExecution,
  taskDefs: ReadonlyMap<string, TaskDef>,
  store: ExecutionStore,
  now: Instant,
): Promise<Explanation> {
  const { workflow, timerAt } = stored;
  const told = (reasons: readonly Why[], leftOut = 0): Explanation => ({
    reasons: reasons.map((reason) => ({ ...reason, sentence: inWords(reason, now) })),
    leftOut,
  });
  if (isTerminalWorkflow(workflow.status)) {
    return told([{ kind: 'ended', status: workflow.status, at: workflow.endTime ?? workflow.updateTime }]);
  }
  const open = stored.tasks.filter((task) => !isTerminalTask(task.status) && !isSilent(task));
  const asked = open.slice(0, MAX_STEPS);
  const facts = await gather(asked, stored, taskDefs, store, now);
  const reasons: Why[] =
    workflow.status === 'PAUSED' ? [{ kind: 'paused', changedAt: workflow.updateTime }] : [];
  for (const task of asked) {
    const reason = whyTask(task, stored, facts, now);
    if (reason !== undefined) reasons.push(reason);
  }
  return reasons.length === 0
    ? told([{ kind: 'unknown', nextCheckAt: timerAt }])
    : told(reasons, open.length - asked.length);
}

/** A JOIN waits for the others, which are asked themselves. */
const isSilent = (task: Task): boolean => task.workflowTask.type === 'JOIN';

interface Facts {
  /** When workers last asked, by task type; 0 for never. */
  readonly askedAt: ReadonlyMap<string, Instant>;
  readonly ahead: ReadonlyMap<string, number>;
  readonly children: ReadonlyMap<string, WorkflowStatus>;
  readonly nodes: ReadonlyMap<string, NodeRecord>;
  /** Tasks that wait for a script. */
  readonly scripts: ReadonlySet<string>;
}

/** What the rows of other tables say of these tasks; nothing is read that none of them needs. */
async function gather(
  tasks: readonly Task[],
  stored: StoredExecution,
  taskDefs: ReadonlyMap<string, TaskDef>,
  store: ExecutionStore,
  now: Instant,
): Promise<Facts> {
  const queued = tasks.filter((task) => task.queued && task.dueAt <= now);
  const askedAt = new Map<string, Instant>();
  for (const taskType of new Set(queued.map((task) => task.taskType))) {
    askedAt.set(taskType, latest(await store.polls(taskType)));
  }
  const ahead = new Map<string, number>();
  for (const { taskId } of queued.slice(0, MAX_QUEUED)) {
    const count = await store.tasksAhead(taskId);
    if (count !== undefined) ahead.set(taskId, count);
  }
  const childIds = tasks.flatMap(({ subWorkflowId }) => subWorkflowId ?? []);
  const children = await statusesOf(childIds, store);
  const isHeld = tasks.some(({ taskId }) => stored.leases.get(taskId)?.owner !== undefined);
  const nodes = isHeld ? await store.listNodes() : [];
  return {
    askedAt,
    ahead,
    children,
    nodes: new Map(nodes.map((node) => [node.incarnation, node])),
    scripts: scriptsOf(tasks, stored, taskDefs, now),
  };
}

async function statusesOf(
  workflowIds: readonly string[],
  store: ExecutionStore,
): Promise<ReadonlyMap<string, WorkflowStatus>> {
  if (workflowIds.length === 0) return new Map();
  // Of no task anything is new after this revision, so only the workflows are read.
  const since = Number.MAX_SAFE_INTEGER;
  const found = await store.changes(
    workflowIds.map((workflowId) => ({ workflowId, since })),
    0,
  );
  return new Map(found.map(({ workflow }) => [workflow.workflowId, workflow.status]));
}

const latest = (polls: readonly PollRecord[]): Instant =>
  polls.reduce((last: Instant, poll) => Math.max(last, poll.lastPollTime), 0);

/** Nothing of a script is stored: deciding once more, for nobody, says which are needed. */
function scriptsOf(
  tasks: readonly Task[],
  { workflow, tasks: rows, leases }: StoredExecution,
  taskDefs: ReadonlyMap<string, TaskDef>,
  now: Instant,
): ReadonlySet<string> {
  const mayWait = tasks.some(
    (task) => !task.queued && task.subWorkflowId === undefined && !leases.has(task.taskId),
  );
  if (workflow.status !== 'RUNNING' || !mayWait) return new Set();
  const { needs } = decide({ workflow, tasks: rows, taskDefs }, [], now);
  return new Set(needs.map(({ taskId }) => taskId));
}

function whyTask(task: Task, { leases }: StoredExecution, facts: Facts, now: Instant): Why | undefined {
  const { referenceTaskName: reference, taskId, taskType, workflowTask } = task;
  const step: Step = { reference, taskId, taskType };
  if (facts.scripts.has(taskId)) return { kind: 'script', ...step, since: task.updateTime };
  if (workflowTask.type === 'WAIT') {
    return task.dueAt - now > NEVER_MS || task.dueAt <= task.scheduledTime
      ? { kind: 'update', ...step, since: task.scheduledTime }
      : { kind: 'timer', ...step, at: task.dueAt, cause: 'wait' };
  }
  if (isDelayed(task, now)) return { kind: 'timer', ...step, at: task.dueAt, cause: causeOf(task) };
  if (task.queued) return whyQueued(task, step, facts, now);
  const lease = leases.get(taskId);
  if (lease !== undefined) {
    const node = lease.owner === undefined ? undefined : facts.nodes.get(lease.owner);
    return {
      kind: 'lease',
      ...step,
      holder: task.workerId ?? lease.owner ?? 'unknown',
      since: task.startTime ?? task.updateTime,
      until: lease.until,
      ...(node === undefined ? {} : { node: { host: node.host, pid: node.pid } }),
    };
  }
  if (workflowTask.type === 'HUMAN') return { kind: 'person', ...step, since: task.scheduledTime };
  if (task.subWorkflowId !== undefined) {
    const childStatus = facts.children.get(task.subWorkflowId);
    const since = task.startTime ?? task.scheduledTime;
    return { kind: 'child', ...step, childWorkflowId: task.subWorkflowId, childStatus, since };
  }
  // A loop waits for its steps, which are asked themselves.
  if (workflowTask.type === 'DO_WHILE') return undefined;
  return { kind: 'update', ...step, since: task.updateTime };
}

/** Also a SUB_WORKFLOW that starts its child later. */
const isDelayed = (task: Task, now: Instant): boolean =>
  task.dueAt > now && (task.queued || task.status === 'SCHEDULED');

function causeOf(task: Task): 'retry' | 'delay' | 'callback' {
  if (task.pollCount > 0) return 'callback';
  return task.retryCount > 0 ? 'retry' : 'delay';
}

function whyQueued(task: Task, step: Step, { askedAt, ahead }: Facts, now: Instant): Why {
  const last = askedAt.get(task.taskType) ?? 0;
  if (now - last > POLL_FRESH_MS) {
    const everAsked = last > 0;
    return { kind: 'no_worker', ...step, since: everAsked ? last : task.dueAt, everAsked };
  }
  return { kind: 'backlog', ...step, ahead: ahead.get(task.taskId) ?? 0, since: task.dueAt, askedAt: last };
}
