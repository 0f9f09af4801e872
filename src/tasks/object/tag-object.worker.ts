import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Clock } from '../../clock.js';
import { ASKED_TOGETHER } from '../../database/together.js';
import { RestoreHold } from '../../database/restore-hold.js';
import type { Task } from '../../engine/model/execution.js';
import { TaskWorker, type TaskOutcome } from '../../engine/ports.js';
import { Buckets } from '../../s3/buckets.js';
import { ObjectStorage, type PinnedObject } from '../../s3/object-storage.js';
import { Ledger, type ScanContext } from '../../verdicts/ledger.js';
import { VERDICTS } from '../../verdicts/verdict.js';
import { gapOf, noteOf } from '../storage-failure.js';
import { readInput, ScanInput } from '../task-input.js';
import { knownScan } from '../../verdicts/workers/known-scan.js';
import { HELD } from './held.js';
import { pinnedOf, policyOf } from './subject.js';
import { Tagger, type Tagged } from './tagger.js';
import { RELEASED_TAG } from './verdict-tags.js';

/** Another object than the scanned one: the copy that a release wrote. */
const OtherObject = z.object({
  endpointId: z.string(),
  bucket: z.string(),
  key: z.string(),
  versionId: z.string().nullish(),
  eTag: z.string(),
});
const Input = ScanInput.extend({
  verdict: z.enum(VERDICTS),
  object: OtherObject.nullish(),
});

/** Writes the verdict on the object beside the user's own tags. */
@Injectable()
export class TagObjectWorker extends TaskWorker {
  readonly taskType = 'tag_object';
  override readonly taskDef = {
    retryCount: 5,
    retryLogic: 'EXPONENTIAL_BACKOFF' as const,
    retryDelaySeconds: 2,
    responseTimeoutSeconds: 120,
  };
  override readonly concurrency = ASKED_TOGETHER;

  constructor(
    private readonly hold: RestoreHold,
    private readonly ledger: Ledger,
    private readonly buckets: Buckets,
    private readonly storage: ObjectStorage,
    private readonly tagger: Tagger,
    private readonly clock: Clock,
  ) {
    super();
  }

  async execute(task: Task): Promise<TaskOutcome> {
    if (await this.hold.isHeld()) return HELD;
    const input = readInput(Input, task);
    const scan = await knownScan(this.ledger, input.scanId);
    const tagged = await this.tag(scan, input, task);
    await this.ledger.recordAction(scan.scanId, task.taskId, {
      action: 'tagged',
      performed: tagged.performed,
      note: tagged.note,
      at: this.clock.now(),
      ...(tagged.tags !== undefined && { data: { tags: tagged.tags } }),
    });
    return {
      kind: 'completed',
      output: { tagged: tagged.performed, note: tagged.note ?? '', tags: tagged.tags ?? {} },
    };
  }

  private async tag(
    scan: ScanContext,
    { verdict, object }: z.infer<typeof Input>,
    task: Task,
  ): Promise<Tagged> {
    const policy = policyOf(this.buckets, scan);
    if (object !== undefined && object !== null) {
      // The verdict stays what it was; that a person let it pass stands beside it.
      const released: PinnedObject = { ...object, versionId: object.versionId ?? undefined };
      return this.tagger.tag(policy, released, verdict, task, {
        extra: { [RELEASED_TAG.key]: RELEASED_TAG.value },
      });
    }
    try {
      return await this.tagger.tag(policy, await pinnedOf(this.storage, scan), verdict, task, {
        isCurrent: () => this.isNewest(scan),
      });
    } catch (error) {
      const why = gapOf(error, task);
      // An attempt that crashed may have written on what took the object's place.
      if (why.gap === 'superseded') await this.tagger.takeBack(policy, scan.ref, task);
      return { performed: false, note: noteOf(why) };
    }
  }

  /** A rescan that spoke meanwhile has the last word; a verdict without a scan (generation 0) never does. */
  private async isNewest({ scanId, generation }: ScanContext): Promise<boolean> {
    const { spokenGeneration = 0 } = await this.ledger.standing(scanId);
    return spokenGeneration <= generation;
  }
}
