import { createHash, randomUUID } from 'node:crypto';
import { Conflict, Forbidden, InvalidInput, NotFound } from '../../errors.js';
import type { Actor, RejectedCommand } from '../model/command.js';
import { isTerminalTask, type Task } from '../model/execution.js';
import type { TaskResult, UpdateOutcome } from '../ports.js';
import type { Committer } from './committer.js';
import type { EntryOutcome } from './entry.js';
import { checkStorable, checkText, MAX_ID_LENGTH, storableText } from './payload-check.js';
import type { Tally } from './tally.js';
import type { TaskLogs } from './task-logs.js';

const MAX_REASON_LENGTH = 10_000;
// Whoever goes on reporting a task that ended fills its log no further; so many tasks are remembered for that.
const MAX_LATE_LINES = 10;
const MAX_LATE_TASKS = 10_000;

interface Parts {
  readonly committer: Committer;
  readonly logs: TaskLogs;
  readonly tally: Tally;
}

/** A report's outcome, and the attempt as it is now. */
export interface Reported {
  readonly outcome: UpdateOutcome;
  readonly task: Task;
}

/**
 * What workers outside report of an attempt. The same report twice has one effect and one answer; a late one has no
 * effect, and leaves a line in the task's log and a count.
 */
export class TaskReports {
  private readonly lateLines = new Map<string, number>();

  constructor(private readonly parts: Parts) {}

  /** @throws NotFound, InvalidInput, Forbidden, Conflict, Overloaded. */
  async report(result: TaskResult, actor: Actor): Promise<Reported> {
    check(result);
    const { workflowInstanceId, taskId, lease } = result;
    const isExtension = result.extendLease === true;
    const outcome = isExtension
      ? await this.parts.committer.submit(workflowInstanceId, { kind: 'extend', taskIds: [taskId], lease })
      : await this.parts.committer.submit(workflowInstanceId, {
          kind: 'command',
          lease,
          command: {
            kind: 'updateTask',
            commandId: commandIdOf(result),
            actor,
            taskId,
            status: result.status,
            outputData: result.outputData ?? {},
            reasonForIncompletion: result.reasonForIncompletion,
            callbackAfterSeconds: result.callbackAfterSeconds,
            workerId: result.workerId,
            asWorker: result.asWorker,
          },
        });
    const task = attemptOf(outcome, workflowInstanceId, taskId);
    const isLate = isExtension
      ? task.status !== 'IN_PROGRESS' || isHandedOn(task, lease)
      : outcome.kind === 'rejected' || (outcome.kind === 'repeated' && isOvertaken(result, task));
    if (!isLate) return { outcome: { kind: 'applied' }, task };
    this.late(result, task);
    return { outcome: lateBecause(task), task };
  }

  private late({ taskId, status, extendLease, workerId }: TaskResult, task: Task): void {
    this.parts.tally.lateReports += 1;
    const count = (this.lateLines.get(taskId) ?? 0) + 1;
    this.lateLines.delete(taskId);
    if (this.lateLines.size >= MAX_LATE_TASKS) {
      for (const oldest of this.lateLines.keys()) {
        this.lateLines.delete(oldest);
        break;
      }
    }
    this.lateLines.set(taskId, count);
    if (count > MAX_LATE_LINES) return;
    const what = extendLease === true ? 'An extension of the lease' : `A report of ${status}`;
    const from = workerId === undefined || workerId === '' ? '' : ` from ${workerId}`;
    const why = isTerminalTask(task.status)
      ? `it is ${task.status}`
      : task.workerId === undefined
        ? `it is ${task.status} and waits`
        : `it is held by ${task.workerId} (lease ${task.pollCount})`;
    this.parts.logs.add(taskId, `${what}${from} came too late and changed nothing: ${why}.`);
  }
}

/**
 * A client's own id counts for its task only, and never for one of the engine's. Without one, the same report of the
 * same lease is the same intention; where the lease is not said, only an end can be told to be the same. That an
 * attempt is in progress is news each time it is said: the worker is alive.
 */
function commandIdOf({
  taskId,
  lease,
  status,
  outputData,
  callbackAfterSeconds,
  commandId,
}: TaskResult): string {
  if (commandId !== undefined) return `client:${taskId}:${commandId}`;
  const isSignOfLife = status === 'IN_PROGRESS' && callbackAfterSeconds === undefined;
  if (lease === undefined || isSignOfLife) return randomUUID();
  const said = JSON.stringify([status, outputData, callbackAfterSeconds]);
  return `lease:${taskId}:${lease}:${createHash('sha1').update(said).digest('base64url')}`;
}

const isHandedOn = ({ pollCount }: Task, lease: number | undefined): boolean =>
  lease !== undefined && lease !== pollCount;

/**
 * Whether a report that counted once says no longer how things are: the attempt has ended otherwise, or somebody else
 * holds what its worker believes to hold. Giving the task back for a while is over with its own lease.
 */
function isOvertaken({ status, callbackAfterSeconds, lease }: TaskResult, task: Task): boolean {
  if (isTerminalTask(task.status)) return task.status !== status;
  return callbackAfterSeconds === undefined && isHandedOn(task, lease);
}

function attemptOf(outcome: EntryOutcome, workflowId: string, taskId: string): Task {
  if (outcome.kind === 'missing' || outcome.kind === 'existing') throw noWorkflow(workflowId);
  const task = outcome.state.tasks.find((row) => row.taskId === taskId);
  if (outcome.kind === 'rejected' && (outcome.rejection.reason !== 'late' || task === undefined)) {
    throw refused(outcome.rejection);
  }
  if (task === undefined) throw noTask(taskId);
  return task;
}

const lateBecause = ({ status, endTime, workerId, pollCount }: Task): UpdateOutcome => ({
  kind: 'late',
  status,
  endTime,
  ...(workerId === undefined ? {} : { holder: workerId }),
  lease: pollCount,
});

function check(result: TaskResult): void {
  checkText(result.workflowInstanceId, 'workflowInstanceId', MAX_ID_LENGTH);
  checkText(result.taskId, 'taskId', MAX_ID_LENGTH);
  // One that is too large fails its task, which the decider says.
  if (result.outputData !== undefined) checkStorable(result.outputData, 'outputData');
  checkText(result.reasonForIncompletion, 'reasonForIncompletion', MAX_REASON_LENGTH);
  checkText(result.workerId, 'workerId', MAX_ID_LENGTH);
  if (result.commandId === '') throw InvalidInput.field('commandId', 'must not be empty');
  checkText(result.commandId, 'commandId', MAX_ID_LENGTH);
}

/** Why a command was refused, as the error that says so. */
export function refused({ reason, message }: RejectedCommand): Error {
  if (reason === 'not_found') return new NotFound(message);
  if (reason === 'invalid') return new InvalidInput(message);
  if (reason === 'forbidden') return new Forbidden(message);
  return new Conflict(message);
}

export const noWorkflow = (workflowId: string): NotFound =>
  new NotFound(`No such workflow found by id: ${storableText(workflowId, MAX_ID_LENGTH)}`);
export const noTask = (taskId: string): NotFound =>
  new NotFound(`No such task found by id: ${storableText(taskId, MAX_ID_LENGTH)}`);
