import type { Instant } from '../../clock.js';
import type { TaskDef } from '../model/definition.js';
import { isTerminalTask, isTerminalWorkflow } from '../model/execution.js';
import type { Task, Workflow } from '../model/execution.js';
import type { TaskMapper } from './mappers/mapper.js';

/** What happens to a task when nothing else happens first. */
export interface Deadline {
  readonly at: Instant;
  readonly kind: 'total' | 'timeout' | 'poll' | 'response' | 'due';
}

// The last millisecond of the year 9999: later ones are "never", and fit no timestamp column.
const LAST_INSTANT: Instant = 253_402_300_799_999;

const after = (from: Instant, seconds: number): Instant => from + Math.max(1, Math.round(seconds * 1000));

/**
 * The first moment at which time alone changes the task. It is exact: looking earlier changes nothing.
 *
 * Clocks: `timeoutSeconds` from the start of the attempt, the poll time-out from when the task may be handed out, the
 * response time-out from the last sign of life, the total from the first attempt's scheduling.
 */
export function deadlineOf(
  task: Task,
  mapper: TaskMapper | undefined,
  taskDef: TaskDef,
): Deadline | undefined {
  if (isTerminalTask(task.status)) return undefined;
  let first: Deadline | undefined;
  const consider = (kind: Deadline['kind'], at: Instant): void => {
    if (at <= LAST_INSTANT && (first === undefined || at < first.at)) first = { kind, at };
  };
  // In Conductor's order, which decides between equal moments.
  if (taskDef.timeoutPolicy !== 'ALERT_ONLY') {
    if (taskDef.totalTimeoutSeconds > 0)
      consider('total', after(task.firstScheduledTime, taskDef.totalTimeoutSeconds));
    if (taskDef.timeoutSeconds > 0 && task.startTime !== undefined) {
      consider('timeout', after(task.startTime, taskDef.timeoutSeconds));
    }
    const poll = taskDef.pollTimeoutSeconds ?? 0;
    if (poll > 0 && task.status === 'SCHEDULED') consider('poll', after(task.dueAt, poll));
  }
  if (mapper?.handOut === 'leased' && task.status === 'IN_PROGRESS' && taskDef.responseTimeoutSeconds > 0) {
    consider('response', after(task.updateTime, taskDef.responseTimeoutSeconds));
  }
  const isToStart = mapper?.startsWhenDue === true && task.status === 'SCHEDULED';
  if (isToStart || mapper?.endsWhenDue?.(task) === true) consider('due', task.dueAt);
  return first;
}

/** When the whole workflow times out. The clock starts again when it is retried or resumed. */
export function workflowDeadline(workflow: Workflow): Instant | undefined {
  const { timeoutSeconds, timeoutPolicy } = workflow.workflowDefinition;
  if (isTerminalWorkflow(workflow.status) || timeoutPolicy !== 'TIME_OUT_WF' || timeoutSeconds <= 0)
    return undefined;
  const at = after(workflow.lastRetriedTime ?? workflow.createTime, timeoutSeconds);
  return at <= LAST_INSTANT ? at : undefined;
}
