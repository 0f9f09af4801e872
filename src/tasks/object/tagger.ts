import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import type { Task } from '../../engine/model/execution.js';
import type { BucketPolicy } from '../../s3/buckets.js';
import { ObjectStorage, type PinnedObject } from '../../s3/object-storage.js';
import { TagsFull } from '../../s3/storage-error.js';
import type { Tags } from '../../s3/tags.js';
import type { Verdict } from '../../verdicts/verdict.js';
import { gapOf, noteOf } from '../storage-failure.js';
import { verdictTags } from './verdict-tags.js';

/** What became of a tag; `note` says why there is none. */
export interface Tagged {
  readonly performed: boolean;
  readonly note?: string | undefined;
  readonly tags?: Tags | undefined;
}

/** Writes the verdict on objects as the bucket's policy allows. */
@Injectable()
export class Tagger {
  constructor(
    private readonly storage: ObjectStorage,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** `extra` goes beside the verdict. Waits out a busy S3 by RetryLater; every other refusal is a note. */
  async tag(
    policy: Pick<BucketPolicy, 'actionMode'>,
    object: PinnedObject,
    verdict: Verdict,
    task: Task,
    extra: Tags = {},
  ): Promise<Tagged> {
    const own = verdictTags(verdict, this.clock.now(), this.config.VERDICT_TAG_STYLE);
    if (own === undefined) return { performed: false, note: `the verdict ${verdict} is not tagged` };
    const tags = { ...own, ...extra };
    if (policy.actionMode === 'observe') return { performed: false, note: 'ACTION_MODE=observe' };
    if (this.config.DRY_RUN) return { performed: false, note: `dry run: would tag ${JSON.stringify(tags)}` };
    try {
      const outcome = await this.storage.mergeTags(object, tags);
      if (outcome === 'superseded') return { performed: false, note: 'another object took its place' };
      return { performed: true, tags };
    } catch (error) {
      if (error instanceof TagsFull) return { performed: false, note: error.message };
      return { performed: false, note: noteOf(gapOf(error, task)) };
    }
  }
}
