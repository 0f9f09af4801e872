import type { Instant } from '../../clock.js';
import type { ExecutionStore, Lease, PollRecord, StoredExecution } from '../execution-store.js';
import { isTerminalTask, isTerminalWorkflow, type Task } from '../model/execution.js';

/** Why a workflow does not move, from a closed list. `reference` names the step. */
export type Why =
  | { readonly kind: 'ended' }
  | { readonly kind: 'paused' }
  | { readonly kind: 'lease'; readonly reference: string; readonly holder: string; readonly until: Instant }
  | { readonly kind: 'timer'; readonly reference: string; readonly at: Instant }
  | { readonly kind: 'person'; readonly reference: string; readonly since: Instant }
  | { readonly kind: 'update'; readonly reference: string; readonly since: Instant }
  | {
      readonly kind: 'no_worker';
      readonly reference: string;
      readonly taskType: string;
      readonly since: Instant;
    }
  | {
      readonly kind: 'backlog';
      readonly reference: string;
      readonly taskType: string;
      readonly waiting: number;
    }
  | { readonly kind: 'unknown'; readonly nextCheckAt: Instant | undefined };

// A worker that did not ask for so long is not there.
const POLL_FRESH_MS = 60_000;
// Further away than this is "until somebody says so": a WAIT without an end.
const NEVER_MS = 50 * 366 * 86_400_000;

/** Answers for one workflow; an empty answer never: what cannot be explained says `unknown`. */
export async function why(
  { workflow, tasks, timerAt, leases }: StoredExecution,
  store: ExecutionStore,
  now: Instant,
): Promise<readonly Why[]> {
  if (isTerminalWorkflow(workflow.status)) return [{ kind: 'ended' }];
  const reasons: Why[] = workflow.status === 'PAUSED' ? [{ kind: 'paused' }] : [];
  const open = tasks.filter((task) => !isTerminalTask(task.status));
  for (const task of open) {
    const reason =
      whyTask(task, leases.get(task.taskId), now) ??
      (task.queued ? await whyQueued(task, store, now) : undefined);
    if (reason !== undefined) reasons.push(reason);
  }
  return reasons.length > 0 ? reasons : [{ kind: 'unknown', nextCheckAt: timerAt }];
}

function whyTask(task: Task, lease: Lease | undefined, now: Instant): Why | undefined {
  const reference = task.referenceTaskName;
  if (task.taskType === 'WAIT') {
    return task.dueAt - now > NEVER_MS || task.dueAt <= task.scheduledTime
      ? { kind: 'update', reference, since: task.scheduledTime }
      : { kind: 'timer', reference, at: task.dueAt };
  }
  if (task.queued) return task.dueAt > now ? { kind: 'timer', reference, at: task.dueAt } : undefined;
  if (lease !== undefined) {
    return {
      kind: 'lease',
      reference,
      holder: task.workerId ?? lease.owner ?? 'unknown',
      until: lease.until,
    };
  }
  if (task.taskType === 'HUMAN') return { kind: 'person', reference, since: task.scheduledTime };
  // A JOIN waits for the others, which are asked themselves.
  if (task.taskType === 'JOIN') return undefined;
  return { kind: 'update', reference, since: task.updateTime };
}

async function whyQueued(task: Task, store: ExecutionStore, now: Instant): Promise<Why> {
  const { referenceTaskName: reference, taskType } = task;
  const polls = await store.polls(taskType);
  const last = polls.reduce((latest: Instant, poll: PollRecord) => Math.max(latest, poll.lastPollTime), 0);
  if (now - last > POLL_FRESH_MS) {
    return { kind: 'no_worker', reference, taskType, since: last === 0 ? task.scheduledTime : last };
  }
  const waiting = (await store.queueSizes([taskType])).get(taskType) ?? 0;
  return { kind: 'backlog', reference, taskType, waiting };
}
