import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import type { Task } from '../../engine/model/execution.js';
import type { BucketPolicy } from '../../s3/buckets.js';
import { ObjectStorage, type ObjectHead, type PinnedObject } from '../../s3/object-storage.js';
import { StorageError, TagsFull } from '../../s3/storage-error.js';
import type { OwnTags, Tags } from '../../s3/tags.js';
import { Ledger, type ObjectRef } from '../../verdicts/ledger.js';
import type { Verdict } from '../../verdicts/verdict.js';
import { gapOf, noteOf } from '../storage-failure.js';
import { ObjectLocks, type HeldLock } from './object-locks.js';
import { OWN_TAGS, VERDICT_TAGS, verdictTags } from './verdict-tags.js';

/** What became of a tag; `note` says why there is none. */
export interface Tagged {
  readonly performed: boolean;
  readonly note?: string | undefined;
  readonly tags?: Tags | undefined;
}

/** What beside the object decides on its tag. */
export interface TagOptions {
  /** Beside the verdict, where there is room. */
  readonly extra?: Tags | undefined;
  /** Asked under the object's lock: a newer scan may have spoken while this one waited. */
  readonly isCurrent?: (() => Promise<boolean>) | undefined;
}

/** Writes the verdict on objects as the bucket's policy allows. */
@Injectable()
export class Tagger {
  constructor(
    private readonly storage: ObjectStorage,
    private readonly locks: ObjectLocks,
    private readonly ledger: Ledger,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Waits out a busy S3, and another process at the same object, by RetryLater; every refusal is a note. */
  async tag(
    policy: Pick<BucketPolicy, 'actionMode'>,
    object: PinnedObject,
    verdict: Verdict,
    task: Task,
    { extra = {}, isCurrent }: TagOptions = {},
  ): Promise<Tagged> {
    const own = verdictTags(verdict, this.clock.now(), this.config.VERDICT_TAG_STYLE);
    if (own === undefined) return { performed: false, note: `the verdict ${verdict} is not tagged` };
    const [first, ...others] = Object.entries(own);
    const ours = [...(first === undefined ? [] : [first]), ...Object.entries(extra), ...others];
    if (policy.actionMode === 'observe') return { performed: false, note: "the bucket's mode is observe" };
    if (this.config.DRY_RUN) {
      return {
        performed: false,
        note: `dry run: would tag ${JSON.stringify(Object.fromEntries(ours))}`,
      };
    }
    try {
      return await this.locks.hold(object, task.taskId, async (held) => {
        if ((await isCurrent?.()) === false)
          return { performed: false, note: 'a newer scan of the object has spoken' };
        return this.place(object, { ours, stale: OWN_TAGS }, held);
      });
    } catch (error) {
      if (error instanceof TagsFull) return { performed: false, note: `tags_full: ${error.message}` };
      return { performed: false, note: noteOf(gapOf(error, task)) };
    }
  }

  /** Takes away what an attempt of ours may have left on the object that replaced the scanned one. */
  async takeBack(policy: Pick<BucketPolicy, 'actionMode'>, ref: ObjectRef, task: Task): Promise<void> {
    if (policy.actionMode === 'observe' || this.config.DRY_RUN) return;
    try {
      await this.locks.hold(ref, task.taskId, (held) => this.clearStray(ref, held));
    } catch (error) {
      // Not ours to mend: the newcomer's own scan writes its own tag.
      if (!(error instanceof TagsFull)) gapOf(error, task);
    }
  }

  private async place(object: PinnedObject, own: OwnTags, held: HeldLock): Promise<Tagged> {
    const placement = await this.storage.placeTags(object, own, held);
    if (placement.kind === 'superseded') {
      await this.clearStray(object, held);
      return {
        performed: false,
        note: 'superseded: another object took its place; none of our tags is on it',
      };
    }
    const { written, left } = placement;
    const note = left.length === 0 ? undefined : `tags_full: no room for ${left.join(', ')}`;
    return { performed: true, note, tags: written };
  }

  /**
   * Without versions our tag may have come to lie on the object that replaced ours, and a crash may have kept us from taking
   * it back. So whatever verdict stands on the newcomer that the ledger did not give it is taken away, an uploader's own
   * too.
   */
  private async clearStray({ endpointId, bucket, key }: ObjectRef, held: HeldLock): Promise<void> {
    const ref = { endpointId, bucket, key };
    for (let tries = 0; tries < MAX_NEWCOMERS; tries += 1) {
      const head = await this.headIfThere(ref);
      if (head === undefined || (head.versionId !== undefined && head.versionId !== 'null')) return;
      const newcomer = { ...ref, eTag: head.eTag };
      const tags = await this.storage.readTags(ref);
      const said = VERDICT_TAGS.filter((name) => tags[name] !== undefined);
      if (said.length === 0) return;
      const verdict = await this.ledger.verdictOn(ref, head);
      if (verdict !== undefined && said.every((name) => tags[name] === tellsOf(verdict, name))) return;
      const none = { ours: [], stale: [...OWN_TAGS, ...VERDICT_TAGS] };
      if ((await this.storage.placeTags(newcomer, none, held)).kind === 'tagged') return;
    }
  }

  private async headIfThere(ref: ObjectRef): Promise<ObjectHead | undefined> {
    try {
      return await this.storage.head(ref);
    } catch (error) {
      if (error instanceof StorageError && error.outcome === 'gone') return undefined;
      throw error;
    }
  }
}

// Each is an upload that came within the same few milliseconds.
const MAX_NEWCOMERS = 3;

const tellsOf = (verdict: Verdict, name: string): string | undefined =>
  verdictTags(verdict, 0, name === 'GuardDutyMalwareScanStatus' ? 'guardduty' : 'sallyport')?.[name];
