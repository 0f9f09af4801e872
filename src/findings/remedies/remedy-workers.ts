import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Clock } from '../../clock.js';
import type { JsonObject } from '../../engine/model/json.js';
import type { Task } from '../../engine/model/execution.js';
import { TaskWorker, TerminalError, type TaskOutcome } from '../../engine/ports.js';
import { NotFound } from '../../errors.js';
import { readInput } from '../../tasks/task-input.js';
import { Remedies } from './remedies.service.js';
import { timesOf } from './remedy.js';

const RETRIED = { retryCount: 10, retryDelaySeconds: 2, responseTimeoutSeconds: 60 };

const parties = z
  .array(z.string().max(250))
  .max(50)
  .nullish()
  .transform((value) => value ?? []);

const OpenInput = z.object({
  scanId: z.uuid(),
  fingerprint: z.string().min(1).max(300),
  owner: parties,
  escalateTo: parties,
  dueDays: z.int().min(1).max(365).nullish(),
  follows: z.uuid().nullish(),
});

/** Opens the remedy of its workflow's finding, and says until when people are asked for the proof. */
@Injectable()
export class OpenRemedyWorker extends TaskWorker {
  readonly taskType = 'open_remedy';
  override readonly taskDef = RETRIED;

  constructor(
    private readonly remedies: Remedies,
    private readonly clock: Clock,
  ) {
    super();
  }

  async execute(task: Task): Promise<TaskOutcome> {
    const { dueDays, follows, ...input } = readInput(OpenInput, task);
    const remedy = await onKnown(() =>
      this.remedies.open(task.workflowInstanceId, {
        ...input,
        dueDays: dueDays ?? undefined,
        follows: follows ?? undefined,
      }),
    );
    const { findingTitle, ruleId, bucket, key, refused } = remedy;
    const again = refused === null ? '' : ` The last answer was not enough: ${refused}.`;
    return {
      kind: 'completed',
      output: {
        remedyId: remedy.id,
        title: `Remedy ${findingTitle} (${ruleId}) in s3://${bucket}/${key}.${again}`,
        dueAt: new Date(remedy.dueAt).toISOString(),
        ...(timesOf(remedy, this.clock.now()) as JsonObject),
      },
    };
  }
}

const CloseInput = z.object({ review: z.object({ reviewId: z.uuid().nullish() }).nullish() });

/** Takes the proof that people gave, or says why it is none. */
@Injectable()
export class CloseRemedyWorker extends TaskWorker {
  readonly taskType = 'close_remedy';
  override readonly taskDef = RETRIED;

  constructor(private readonly remedies: Remedies) {
    super();
  }

  async execute(task: Task): Promise<TaskOutcome> {
    const { review } = readInput(CloseInput, task);
    const id = task.workflowInstanceId;
    const why = await onKnown(() => this.remedies.close(id, review?.reviewId ?? id));
    return { kind: 'completed', output: { remedied: why === undefined, why: why ?? '' } };
  }
}

async function onKnown<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof NotFound) throw new TerminalError(error.message, { cause: error });
    throw error;
  }
}
