import { randomUUID } from 'node:crypto';
import type { ClaimedTask } from '../execution-store.js';
import type { Task } from '../model/execution.js';
import type { Committer } from '../runtime/committer.js';
import type { RuntimeLog } from '../runtime/runtime-log.js';
import { refOf } from './placeholder.js';
import { MAX_HYDRATED_BYTES, type PayloadVault } from './payload-vault.js';

const RETRY_SECONDS = 5;

/**
 * Tasks as a worker outside gets them: with their values. What would make the answer larger than 32 MB, and what is out of
 * reach, goes back to the queue.
 */
export async function wholeTasks(
  claimed: readonly ClaimedTask[],
  vault: PayloadVault,
  committer: Committer,
  log: RuntimeLog,
): Promise<readonly ClaimedTask[]> {
  if (!claimed.some(({ task }) => storedBytes(task) > 0)) return claimed;
  const whole: ClaimedTask[] = [];
  let bytes = 0;
  for (const one of claimed) {
    const { task } = one;
    const size = storedBytes(task);
    if (whole.length > 0 && bytes + size > MAX_HYDRATED_BYTES) {
      await handBack(committer, task, 0);
      continue;
    }
    try {
      whole.push(size === 0 ? one : { ...one, task: await vault.task(task) });
      bytes += size;
    } catch (error) {
      log.warn({ err: error, taskId: task.taskId }, 'the input of a task is out of reach; it waits');
      await handBack(committer, task, RETRY_SECONDS);
    }
  }
  return whole;
}

const storedBytes = ({ inputData, outputData }: Task): number =>
  (refOf(inputData)?.bytes ?? 0) + (refOf(outputData)?.bytes ?? 0);

async function handBack(committer: Committer, task: Task, callbackAfterSeconds: number): Promise<void> {
  await committer.submit(
    task.workflowInstanceId,
    {
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
    },
    { internal: true },
  );
}
