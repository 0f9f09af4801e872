import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { Task } from '../../engine/model/execution.js';
import { TaskWorker, TerminalError, type TaskOutcome } from '../../engine/ports.js';
import { readInput } from '../../tasks/task-input.js';
import type { Exception } from './exception.js';
import { Exceptions } from './exceptions.service.js';

const Input = z.object({
  exceptionId: z.uuid(),
  review: z
    .object({
      reviewId: z.uuid().nullish(),
      decidedBy: z.string().nullish(),
      reason: z.string().nullish(),
      outcome: z.string().nullish(),
    })
    .nullish(),
});

const RETRIED = { retryCount: 10, retryDelaySeconds: 2, responseTimeoutSeconds: 60 };

/** Puts an exception in force that a second person agreed to. */
@Injectable()
export class GrantExceptionWorker extends TaskWorker {
  readonly taskType = 'grant_exception';
  override readonly taskDef = RETRIED;

  constructor(private readonly exceptions: Exceptions) {
    super();
  }

  async execute(task: Task): Promise<TaskOutcome> {
    const { exceptionId, review } = read(task);
    const granted = await this.exceptions.grant(exceptionId, review?.reviewId ?? exceptionId);
    if (granted === undefined)
      throw new TerminalError(
        'grant_exception: no review of this request says that somebody else agreed; nothing was put in force',
      );
    return { kind: 'completed', output: outputOf(granted) };
  }
}

/** Says of an exception that nobody agreed to it. */
@Injectable()
export class RefuseExceptionWorker extends TaskWorker {
  readonly taskType = 'refuse_exception';
  override readonly taskDef = RETRIED;

  constructor(private readonly exceptions: Exceptions) {
    super();
  }

  async execute(task: Task): Promise<TaskOutcome> {
    const { exceptionId, review } = read(task);
    const by = review?.decidedBy ?? 'reviews';
    const reason = review?.reason ?? review?.outcome ?? 'nobody agreed';
    const actor = z.uuid().safeParse(by).success ? `user:${by}` : `system:${by}`;
    return {
      kind: 'completed',
      output: outputOf(await this.exceptions.refuse(exceptionId, actor, reason)),
    };
  }
}

/** An exception is changed by its own workflow alone. */
function read(task: Task): z.infer<typeof Input> {
  const input = readInput(Input, task);
  if (input.exceptionId !== task.workflowInstanceId)
    throw new TerminalError(`${task.taskDefName}: exceptionId: is not that of this workflow's own exception`);
  return input;
}

const outputOf = ({ id, state, expiresAt }: Exception) => ({
  exceptionId: id,
  state,
  expiresAt: new Date(expiresAt).toISOString(),
});
