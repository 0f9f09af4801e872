import type { Task } from '../model/execution.js';
import type { TaskDef, WorkflowDef } from '../model/definition.js';
import { workflowDeadline } from './deadlines.js';
import type { Deadline } from './deadlines.js';
import { endWorkflow } from './finish.js';
import { startIfDue } from './sub-workflows.js';
import type { Transition } from './transition.js';

/**
 * Applies every deadline that has passed, the earliest first: so a workflow that nobody looked at for a day ends as it
 * would have with a look at each deadline.
 */
export function expire(t: Transition): void {
  while (!t.isEnded) {
    const whole = workflowDeadline(t.workflow);
    const alarm = t.workflow.status === 'PAUSED' ? undefined : t.index.nextAlarm();
    if (whole !== undefined && whole <= t.now && (alarm === undefined || whole <= alarm.at)) {
      endWorkflow(t, { status: 'TIMED_OUT', reason: workflowReason(t), runsFailureWorkflow: true });
      return;
    }
    if (alarm === undefined || alarm.at > t.now) return;
    const task = t.tasks[alarm.position]!;
    const deadline = t.index.deadlineOf(task);
    if (deadline === undefined) return;
    pass(t, alarm.position, deadline);
  }
}

function pass(t: Transition, position: number, deadline: Deadline): void {
  const task = t.tasks[position]!;
  if (deadline.kind === 'due') {
    if (t.index.stepOf(task)?.mapper?.startsWhenDue === true) startIfDue(t, position);
    else t.patchTask(position, { status: 'COMPLETED', endTime: t.now });
    return;
  }
  const taskDef = t.taskDefOf(task.workflowTask);
  const reasonForIncompletion = taskReason(t, task, taskDef, deadline.kind);
  const ended = t.patchTask(position, {
    status: 'TIMED_OUT',
    reasonForIncompletion,
    endTime: t.now,
    queued: false,
  });
  // A missing response is always a matter of retries; the policy is about the other clocks.
  if (deadline.kind !== 'response' && taskDef.timeoutPolicy === 'TIME_OUT_WF') {
    endWorkflow(t, {
      status: 'TIMED_OUT',
      reason: reasonForIncompletion,
      failedTask: ended,
      runsFailureWorkflow: true,
    });
  }
}

const seconds = (ms: number): number => Math.floor(ms / 1000);

function taskReason(
  { now }: Transition,
  task: Task,
  taskDef: TaskDef,
  kind: Exclude<Deadline['kind'], 'due'>,
): string {
  const policy = taskDef.timeoutPolicy;
  switch (kind) {
    case 'total':
      return (
        `Task ${task.taskDefName}/${task.taskId} exceeded total timeout of ${taskDef.totalTimeoutSeconds} seconds ` +
        `(elapsed ${seconds(now - task.firstScheduledTime)} seconds across all attempts including retry delays). ` +
        `Timeout policy: ${policy}`
      );
    case 'timeout':
      return (
        `Task timed out after ${seconds(now - (task.startTime ?? now))} seconds. ` +
        `Timeout configured as ${taskDef.timeoutSeconds} seconds. Timeout policy configured to ${policy}`
      );
    case 'poll':
      return (
        `Task poll timed out after ${seconds(now - task.dueAt)} seconds. ` +
        `Poll timeout configured as ${taskDef.pollTimeoutSeconds} seconds. Timeout policy configured to ${policy}`
      );
    case 'response':
      return (
        `responseTimeout: ${taskDef.responseTimeoutSeconds} exceeded for the taskId: ${task.taskId} ` +
        `with Task Definition: ${task.taskDefName}`
      );
    default:
      return kind satisfies never;
  }
}

function workflowReason({ workflow, now }: Transition): string {
  const { timeoutSeconds, timeoutPolicy }: WorkflowDef = workflow.workflowDefinition;
  const elapsed = seconds(now - (workflow.lastRetriedTime ?? workflow.createTime));
  return (
    `Workflow timed out after ${elapsed} seconds. Timeout configured as ${timeoutSeconds} seconds. ` +
    `Timeout policy configured to ${timeoutPolicy}`
  );
}
