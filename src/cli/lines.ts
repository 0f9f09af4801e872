import { durationText, visible } from '../outbound/safe-text.js';

/** One attempt of a step, as the service tells it. */
export interface TaskFacts {
  readonly taskId: string;
  readonly referenceTaskName: string;
  readonly status: string;
  readonly seq: number;
  readonly retryCount: number;
  readonly iteration: number;
  readonly workerId?: string;
  readonly scheduledTime: number;
  readonly startTime?: number;
  readonly updateTime: number;
  readonly endTime?: number;
  readonly reasonForIncompletion?: string;
}

/** A workflow, as the service tells it. */
export interface WorkflowFacts {
  readonly workflowId: string;
  readonly workflowName: string;
  readonly status: string;
  readonly createTime: number;
  readonly updateTime: number;
  readonly endTime?: number;
  readonly reasonForIncompletion?: string;
}

export interface Style {
  readonly colour: boolean;
}

const NAME_WIDTH = 28;
const STATUS_WIDTH = 26;
const COLOURS: Readonly<Record<string, number>> = {
  COMPLETED: 32,
  COMPLETED_WITH_ERRORS: 33,
  IN_PROGRESS: 34,
  RUNNING: 34,
  SCHEDULED: 35,
  PAUSED: 35,
  FAILED: 31,
  FAILED_WITH_TERMINAL_ERROR: 31,
  TIMED_OUT: 31,
  TERMINATED: 31,
};

/** One line per change of an attempt: time, step, status, attempt, duration, what else is to be said. */
export function taskLine(task: TaskFacts, style: Style): string {
  const began = moment(task.startTime);
  const ended = moment(task.endTime);
  return line(
    ended ?? task.updateTime,
    task.referenceTaskName,
    task.status,
    [
      `attempt ${task.retryCount + 1}`,
      task.iteration > 0 ? `iteration ${task.iteration}` : '',
      ended === undefined ? '' : durationText(ended - (began ?? task.scheduledTime)),
      task.status === 'IN_PROGRESS' && task.workerId !== undefined
        ? `held by ${visible(task.workerId, 60)}`
        : '',
      task.reasonForIncompletion === undefined ? '' : visible(task.reasonForIncompletion, 200),
    ],
    style,
  );
}

/** The line of the workflow itself. */
export function workflowLine(workflow: WorkflowFacts, style: Style): string {
  const ended = moment(workflow.endTime);
  return line(
    ended ?? workflow.updateTime,
    workflow.workflowName,
    workflow.status,
    [
      ended === undefined ? '' : durationText(ended - workflow.createTime),
      workflow.reasonForIncompletion === undefined ? '' : visible(workflow.reasonForIncompletion, 200),
    ],
    style,
  );
}

function line(at: number, name: string, status: string, rest: readonly string[], { colour }: Style): string {
  const shown = visible(status, STATUS_WIDTH).padEnd(STATUS_WIDTH);
  const code = COLOURS[status];
  return [
    timeOf(at),
    visible(name, NAME_WIDTH).padEnd(NAME_WIDTH),
    colour && code !== undefined ? `\u001b[${code}m${shown}\u001b[39m` : shown,
    rest.filter((part) => part !== '').join('  '),
  ]
    .join('  ')
    .trimEnd();
}

/** Conductor's JSON says 0 for a time that has not come. */
const moment = (at: number | undefined): number | undefined =>
  at === undefined || at === 0 ? undefined : at;

/** The time of day where the reader is, to the millisecond. */
function timeOf(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  const milliseconds = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${milliseconds}`;
}
