import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import type { Task } from '../../engine/model/execution.js';
import { TaskWorker, TerminalError, type TaskOutcome } from '../../engine/ports.js';
import { Conflict } from '../../errors.js';
import { Buckets, type BucketPolicy } from '../../s3/buckets.js';
import type { Run } from './run.js';
import { ListingRuns } from './runs.service.js';
import { runsOf } from './sql/runs.js';

const Input = z.object({
  cause: z.string().min(1).max(200),
  from: z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
  to: z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
});

const MOST_AT_ONCE = 4;
const LOOK_AGAIN_SECONDS = 2;
/** A report that waits for a bucket which does not end is worse than one that says so. */
const PATIENCE_MS = 6 * 3_600_000;

/**
 * Lists every registered bucket by itself and compares it with the ledger: each run counts what its bucket dates into
 * [from, to) and what of it the ledger knew. The runs carry the cause, by which whoever asked finds them.
 */
@Injectable()
export class TakeInventoryWorker extends TaskWorker {
  override readonly taskType = 'take_inventory';
  override readonly concurrency = 2;
  override readonly taskDef = { retryCount: 5, retryDelaySeconds: 10 };

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly buckets: Buckets,
    private readonly runs: ListingRuns,
  ) {
    super();
  }

  async execute(task: Task): Promise<TaskOutcome> {
    const { cause, from, to } = inputOf(task);
    const runs = await runsOf(this.db, cause);
    const open = runs.filter(({ state, listedAt }) => state === 'running' && listedAt === undefined);
    const begun = new Set(runs.map(placeOf));
    const missing = this.buckets.list().filter((policy) => !begun.has(placeOf(policy)));
    const isLate = this.clock.now() - task.scheduledTime > PATIENCE_MS;
    if (!isLate && open.length + missing.length > 0) {
      await this.begin(missing.slice(0, Math.max(0, MOST_AT_ONCE - open.length)), cause, { from, to });
      return { kind: 'inProgress', callbackAfterSeconds: LOOK_AGAIN_SECONDS };
    }
    const isListed = (run: Run): boolean => run.listedAt !== undefined;
    return {
      kind: 'completed',
      output: {
        buckets: runs.length + missing.length,
        compared: runs.filter(isListed).length,
        notCompared: [...runs.filter((run) => !isListed(run)), ...missing].map(({ bucket }) => bucket ?? ''),
      },
    };
  }

  private async begin(
    policies: readonly BucketPolicy[],
    cause: string,
    window: { readonly from: number; readonly to: number },
  ): Promise<void> {
    for (const { endpointId, bucket } of policies)
      try {
        await this.runs.reconcile(
          { bucket, options: { window } },
          { actor: 'system:reports', cause, endpointId, onceKey: `${cause} ${endpointId}/${bucket}` },
        );
      } catch (error) {
        // Too many are open: the next look begins it.
        if (error instanceof Conflict) return;
        throw error;
      }
  }
}

const placeOf = ({
  endpointId,
  bucket,
}: {
  readonly endpointId?: string | undefined;
  readonly bucket?: string | undefined;
}) => JSON.stringify([endpointId, bucket]);

function inputOf(task: Task): z.infer<typeof Input> {
  const parsed = Input.safeParse(task.inputData);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new TerminalError(`${issue?.path.join('.') ?? 'input'}: ${issue?.message ?? 'is wrong'}`);
}
