import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import type { JsonObject } from '../../engine/model/json.js';
import { RestoreHold } from '../../database/restore-hold.js';
import type { Task } from '../../engine/model/execution.js';
import { TaskWorker, TerminalError, type TaskOutcome } from '../../engine/ports.js';
import { Buckets, CONFIGURED_ENDPOINT, type BucketPolicy } from '../../s3/buckets.js';
import { ObjectStorage, type PinnedObject } from '../../s3/object-storage.js';
import { Ledger, type ScanContext } from '../../verdicts/ledger.js';
import { VERDICTS, type Verdict } from '../../verdicts/verdict.js';
import { gapOf, noteOf } from '../storage-failure.js';
import { readInput, ScanInput } from '../task-input.js';
import { HELD } from './held.js';
import { isAway } from './move-in.js';
import { Quarantine } from './quarantine.js';
import { loopOf, type Place } from './refuse-loop.js';
import type { QuarantineRow } from './sql/quarantined-objects.js';
import { knownScan } from '../../verdicts/workers/known-scan.js';
import { currentOf, policyOf } from './subject.js';
import { Tagger } from './tagger.js';

const Input = ScanInput.extend({ verdict: z.enum(VERDICTS) });

/** Moves the object out of reach while a person decides; under a milder policy it is only tagged. */
@Injectable()
export class QuarantineObjectWorker extends TaskWorker {
  readonly taskType = 'quarantine_object';
  override readonly taskDef = {
    retryCount: 5,
    retryLogic: 'EXPONENTIAL_BACKOFF' as const,
    retryDelaySeconds: 2,
    responseTimeoutSeconds: 3600,
  };

  constructor(
    private readonly hold: RestoreHold,
    private readonly ledger: Ledger,
    private readonly buckets: Buckets,
    private readonly storage: ObjectStorage,
    private readonly quarantine: Quarantine,
    private readonly tagger: Tagger,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    super();
  }

  async execute(task: Task): Promise<TaskOutcome> {
    if (await this.hold.isHeld()) return HELD;
    const { scanId, verdict } = readInput(Input, task);
    const scan = await knownScan(this.ledger, scanId);
    const policy = policyOf(this.buckets, scan);
    const whyNot = this.reasonToLeave(policy, scan, verdict);
    try {
      return whyNot === undefined
        ? await this.move(task, scan, policy, verdict)
        : await this.leave(task, scan, policy, verdict, whyNot);
    } catch (error) {
      const why = gapOf(error, task);
      if (why.gap === 'gone' || why.gap === 'superseded') return this.unmoved(task, scan, noteOf(why));
      // It stays readable, so at least its tag says what is known.
      return this.leave(task, scan, policy, verdict, noteOf(why)).catch((second: unknown) =>
        this.unmoved(task, scan, noteOf(gapOf(second, task))),
      );
    }
  }

  private reasonToLeave(policy: BucketPolicy, scan: ScanContext, verdict: Verdict): string | undefined {
    if (policy.actionMode !== 'quarantine') return `the bucket's mode is ${policy.actionMode}`;
    // It is under review only for want of an engine; nothing was found.
    if (verdict === 'incomplete') return 'incomplete objects stay where they are';
    const loop = loopOf(scan.ref, policy.quarantineBucket, this.buckets.list(), keptPlaces(this.config));
    if (loop !== undefined) return `refused (recursion): ${loop}`;
    if (this.config.DRY_RUN) return `dry run: would move it to ${policy.quarantineBucket ?? 'quarantine'}`;
    return undefined;
  }

  private async move(
    task: Task,
    scan: ScanContext,
    policy: BucketPolicy,
    verdict: Verdict,
  ): Promise<TaskOutcome> {
    const bucket = policy.quarantineBucket;
    if (bucket === undefined) throw new TerminalError('QUARANTINE_BUCKET is not set.');
    const begun = (await this.quarantine.find(scan.scanId)) ?? (await this.begin(scan, bucket));
    const { sha256 } = await this.ledger.standing(scan.scanId);
    const { row, leftBehind } = await this.quarantine.move(begun, verdict, sha256);
    const copy = quarantinedCopy(row);
    // For whoever looks into the bucket; the move stands without it.
    const tagged = await this.tagger.tag(policy, copy, verdict, task);
    if (leftBehind !== undefined) await this.tagger.tag(policy, row.original, verdict, task);
    const note =
      leftBehind === undefined
        ? (tagged.note ?? '')
        : `copied, but the original could not be deleted: ${leftBehind.reason}: ${leftBehind.detail}`;
    const moved = leftBehind === undefined;
    await this.ledger.recordAction(scan.scanId, task.taskId, {
      action: 'quarantined',
      performed: moved,
      note: note === '' ? undefined : note,
      at: this.clock.now(),
      data: {
        quarantine: plain(copy),
        original: plain(row.original),
        sha256: row.sha256 ?? '',
        ...(leftBehind !== undefined && { leftBehind: leftBehind.reason }),
      },
    });
    return {
      kind: 'completed',
      output: { moved, note, quarantine: plain(copy), original: plain(row.original) },
    };
  }

  private async begin(scan: ScanContext, bucket: string): Promise<QuarantineRow> {
    try {
      const { object, head } = await currentOf(this.storage, scan);
      return await this.quarantine.begin(scan, object, head, bucket);
    } catch (error) {
      const begun = isAway(error) ? await this.quarantine.takeUp(scan, bucket) : undefined;
      if (begun === undefined) throw error;
      return begun;
    }
  }

  private async leave(
    task: Task,
    scan: ScanContext,
    policy: BucketPolicy,
    verdict: Verdict,
    whyNot: string,
  ): Promise<TaskOutcome> {
    const { object } = await currentOf(this.storage, scan);
    // It stays readable while people decide, so at least its tag says what is known.
    const tagged = await this.tagger.tag(policy, object, verdict, task);
    const note = tagged.performed ? `${whyNot}: tagged, not moved` : `${whyNot}: not moved`;
    return this.unmoved(task, scan, note);
  }

  private async unmoved(task: Task, scan: ScanContext, note: string): Promise<TaskOutcome> {
    await this.quarantine.abandon(scan.scanId);
    await this.ledger.recordAction(scan.scanId, task.taskId, {
      action: 'quarantined',
      performed: false,
      note,
      at: this.clock.now(),
    });
    const original = { ...scan.ref, eTag: scan.facts?.eTag ?? '' };
    return { kind: 'completed', output: { moved: false, note, quarantine: null, original: plain(original) } };
  }
}

/** Buckets in which the service keeps things of its own. */
const keptPlaces = (config: Config): readonly Place[] =>
  config.PAYLOAD_BUCKET === undefined
    ? []
    : [{ endpointId: CONFIGURED_ENDPOINT, bucket: config.PAYLOAD_BUCKET }];

const quarantinedCopy = (row: QuarantineRow): PinnedObject => ({
  ...row.place,
  versionId: row.copy?.versionId,
  eTag: row.copy?.eTag ?? '',
});

const plain = (object: PinnedObject): JsonObject => ({
  endpointId: object.endpointId,
  bucket: object.bucket,
  key: object.key,
  versionId: object.versionId ?? null,
  eTag: object.eTag,
});
