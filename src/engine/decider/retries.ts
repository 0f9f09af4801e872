import type { Instant } from '../../clock.js';
import type { TaskDef } from '../model/definition.js';
import type { Task } from '../model/execution.js';

// Beyond a year a retry is a misconfiguration; the bound also keeps 2^retryCount a time.
const MAX_DELAY_MS = 365 * 86_400_000;

/** How long to wait before the attempt after `task`. `nextTaskId` seeds the jitter, so that deciding again agrees. */
export function retryDelayMs(task: Pick<Task, 'retryCount'>, taskDef: TaskDef, nextTaskId: string): number {
  let seconds = taskDef.retryDelaySeconds;
  if (taskDef.retryLogic === 'LINEAR_BACKOFF') seconds *= taskDef.backoffScaleFactor * (task.retryCount + 1);
  // Conductor does not use the scale factor here.
  if (taskDef.retryLogic === 'EXPONENTIAL_BACKOFF') seconds *= 2 ** task.retryCount;
  if (taskDef.maxRetryDelaySeconds > 0) seconds = Math.min(seconds, taskDef.maxRetryDelaySeconds);
  const jitterMs = Number.parseInt(nextTaskId.slice(0, 8), 16) % (taskDef.backoffJitterMs + 1);
  return Math.min(Math.round(seconds * 1000) + jitterMs, MAX_DELAY_MS);
}

export type FailureStatus = 'FAILED' | 'TIMED_OUT' | 'TERMINATED';

/** What follows an attempt that ended badly: another one, or the reason why the workflow may end with it. */
export type AfterFailure =
  | { readonly kind: 'retry' }
  | {
      readonly kind: 'giveUp';
      readonly status: FailureStatus;
      readonly reason: string;
      readonly final: boolean;
    };

/** Decides on the row alone. `final`: not even an optional step goes on. */
export function afterFailure(task: Task, taskDef: TaskDef, isWork: boolean, now: Instant): AfterFailure {
  const status: FailureStatus =
    task.status === 'CANCELED' ? 'TERMINATED' : task.status === 'TIMED_OUT' ? 'TIMED_OUT' : 'FAILED';
  const limit = task.workflowTask.retryCount ?? taskDef.retryCount;
  const isRetriable = task.status === 'FAILED' || task.status === 'TIMED_OUT';
  if (!isRetriable || !isWork || task.retryCount >= limit) {
    const reason = `Task ${task.taskId} failed with status: ${status} and reason: '${task.reasonForIncompletion ?? null}'`;
    return { kind: 'giveUp', status, reason, final: false };
  }
  const elapsedMs = now - task.firstScheduledTime;
  if (taskDef.totalTimeoutSeconds > 0 && elapsedMs >= taskDef.totalTimeoutSeconds * 1000) {
    const reason =
      `Task ${task.taskId}/${task.taskDefName} exceeded total timeout of ${taskDef.totalTimeoutSeconds} seconds ` +
      `(elapsed ${Math.floor(elapsedMs / 1000)} seconds across all attempts). No further retries will be attempted.`;
    return { kind: 'giveUp', status, reason, final: true };
  }
  return { kind: 'retry' };
}
