import { randomUUID } from 'node:crypto';
import type { ClaimedTask } from '../execution-store.js';
import type { Task } from '../model/execution.js';
import type { Committer } from '../runtime/committer.js';
import type { RuntimeLog } from '../runtime/runtime-log.js';
import { answerBytes, MAX_ANSWER_BYTES } from './answer-size.js';
import type { PayloadVault } from './payload-vault.js';
import { refOf } from './placeholder.js';

const RETRY_SECONDS = 5;

/**
 * Tasks as a worker outside gets them: with their values. What would make the answer larger than 32 MB, and what is out of
 * reach, goes back to the queue.
 *
 * @throws Unavailable, Overloaded when something could not be put back; the caller hands all of them back.
 */
export async function wholeTasks(
  claimed: readonly ClaimedTask[],
  vault: PayloadVault,
  committer: Committer,
  log: RuntimeLog,
): Promise<readonly ClaimedTask[]> {
  const whole: ClaimedTask[] = [];
  let bytes = 0;
  for (const one of claimed) {
    const { task } = one;
    const size = answerBytes(task.inputData) + answerBytes(task.outputData);
    if (whole.length > 0 && bytes + size > MAX_ANSWER_BYTES) {
      await handBack(committer, task, 0);
      continue;
    }
    try {
      whole.push(isStored(task) ? { ...one, task: await vault.task(task) } : one);
      bytes += size;
    } catch (error) {
      log.warn({ err: error, taskId: task.taskId }, 'the input of a task is out of reach; it waits');
      await handBack(committer, task, RETRY_SECONDS);
    }
  }
  return whole;
}

const isStored = ({ inputData, outputData }: Task): boolean =>
  refOf(inputData) !== undefined || refOf(outputData) !== undefined;

async function handBack(committer: Committer, task: Task, callbackAfterSeconds: number): Promise<void> {
  await committer.submit(task.workflowInstanceId, {
    kind: 'command',
    lease: task.pollCount,
    command: {
      kind: 'updateTask',
      commandId: randomUUID(),
      actor: { kind: 'system', id: 'engine' },
      taskId: task.taskId,
      status: 'IN_PROGRESS',
      outputData: task.outputData,
      callbackAfterSeconds,
    },
  });
}
