import type { Instant } from '../../clock.js';
import type { Lease } from '../execution-store.js';
import { mapperOf } from '../decider/mappers/index.js';
import { taskDefOf } from '../decider/task-defs.js';
import { boundedMs, MAX_SECONDS, type TaskDef } from '../model/definition.js';
import type { Task } from '../model/execution.js';

/** The settings of a task that the store keeps beside it, in milliseconds; 0 means off. */
export interface TaskTimeouts {
  readonly responseTimeoutMs: number;
  readonly executionTimeoutMs: number;
}

export function timeoutsOf(task: Task, taskDefs: ReadonlyMap<string, TaskDef>): TaskTimeouts {
  const mapper = mapperOf(task.workflowTask.type);
  const def = taskDefOf(task.workflowTask, mapper, taskDefs);
  return {
    responseTimeoutMs: mapper?.handOut === 'leased' ? boundedMs(def.responseTimeoutSeconds) : 0,
    executionTimeoutMs: def.timeoutPolicy === 'ALERT_ONLY' ? 0 : boundedMs(def.timeoutSeconds),
  };
}

/** The task as its worker gets it. A HUMAN task stays IN_PROGRESS, as it was from its creation. */
export function handedOver(task: Task, workerId: string, now: Instant): Task {
  return {
    ...task,
    status: 'IN_PROGRESS',
    queued: false,
    workerId,
    pollCount: task.pollCount + 1,
    callbackAfterSeconds: 0,
    startTime: task.startTime ?? now,
    updateTime: now,
  };
}

/** The task as it waits again after its holder died or stopped; no retry is consumed. */
export function handedBack(task: Task, now: Instant): Task {
  return {
    ...task,
    status: task.taskType === 'HUMAN' ? 'IN_PROGRESS' : 'SCHEDULED',
    queued: true,
    dueAt: now,
    workerId: undefined,
    updateTime: now,
  };
}

// A lease without a response timeout ends with its process; a time has to stand there all the same.
const NO_TIMEOUT_MS = 24 * 3_600_000;

// Rows that were stored long ago may hold more than a time can be added to.
const bounded = (timeoutMs: number): number => Math.min(timeoutMs, boundedMs(MAX_SECONDS));

export const leaseUntil = (now: Instant, { responseTimeoutMs }: TaskTimeouts): Instant =>
  now + (responseTimeoutMs > 0 ? bounded(responseTimeoutMs) : NO_TIMEOUT_MS);

/** A lease that is kept ends a response time-out after the last sign of life. */
export const keptLease = (
  lease: Lease | undefined,
  { updateTime }: Task,
  { responseTimeoutMs }: TaskTimeouts,
): Lease | undefined =>
  lease === undefined || responseTimeoutMs <= 0
    ? lease
    : { ...lease, until: updateTime + bounded(responseTimeoutMs) };

/** When somebody must look at a task that was just handed to a worker, if nothing is heard of it. */
export function handOverDeadline(
  task: Task,
  timeouts: TaskTimeouts,
  now: Instant,
  inProcess: boolean,
): Instant | undefined {
  const deadlines: Instant[] = [];
  if (timeouts.executionTimeoutMs > 0)
    deadlines.push((task.startTime ?? now) + bounded(timeouts.executionTimeoutMs));
  // A run in a process that lives keeps its lease; when the process dies, its node row tells sooner.
  if (!inProcess && timeouts.responseTimeoutMs > 0) deadlines.push(now + bounded(timeouts.responseTimeoutMs));
  return deadlines.length === 0 ? undefined : Math.min(...deadlines);
}
