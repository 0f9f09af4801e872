import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { ASKED_TOGETHER } from '../../database/together.js';
import type { Task } from '../../engine/model/execution.js';
import { TaskWorker, type TaskContext, type TaskOutcome } from '../../engine/ports.js';
import type { ObjectHead, PinnedObject } from '../../s3/object-storage.js';
import { SharedReads } from '../../s3/shared-reads.js';
import { Ledger, type ObjectFacts, type ScanContext } from '../../verdicts/ledger.js';
import { gapOf, type Gap } from '../storage-failure.js';
import { readInput, ScanInput } from '../task-input.js';
import { detectType, TYPE_BYTES } from './detect-type.js';
import { Allowances } from './allowances.js';
import { isQuarantinedCopy } from './own-copy.js';
import type { Allowance } from './sql/released-objects.js';
import { knownScan } from '../../verdicts/workers/known-scan.js';
import { VersionPin } from './version-pin.js';

/** Looks whether the object is there, what it is, and fixes its identity. */
@Injectable()
export class InspectObjectWorker extends TaskWorker {
  readonly taskType = 'inspect_object';
  override readonly taskDef = {
    retryCount: 5,
    retryLogic: 'EXPONENTIAL_BACKOFF' as const,
    retryDelaySeconds: 2,
    maxRetryDelaySeconds: 60,
    responseTimeoutSeconds: 120,
  };
  override readonly concurrency = ASKED_TOGETHER;

  constructor(
    private readonly ledger: Ledger,
    private readonly pin: VersionPin,
    private readonly reads: SharedReads,
    private readonly allowances: Allowances,
    private readonly db: Database,
  ) {
    super();
  }

  async execute(task: Task, { signal }: TaskContext): Promise<TaskOutcome> {
    const { scanId } = readInput(ScanInput, task);
    const scan = await knownScan(this.ledger, scanId);
    try {
      return await this.inspect(scan, signal);
    } catch (error) {
      const { gap, reason, detail } = gapOf(error, task);
      return ended(gap, reason, { ...scan.ref, detail });
    }
  }

  private async inspect(asked: ScanContext, signal: AbortSignal): Promise<TaskOutcome> {
    const subject = await this.pin.of(asked, signal);
    if (subject.kind === 'duplicate') {
      return ended('duplicate', KNOWN, { ...asked.ref, ofScanId: subject.ofScanId });
    }
    const { scan, object, head, note } = subject;
    if (await isQuarantinedCopy(this.db, object, head)) {
      return ended('duplicate', 'quarantined_copy', describe(object, head));
    }
    const allowance = head.isArchived ? undefined : await this.allowances.of(object, head.sizeBytes, signal);
    // Asked for again (new signatures, a person), it is judged anew; what was decided is shown beside.
    if (allowance !== undefined && (await this.isFirstLook(scan))) {
      return ended('duplicate', 'released_by_review', describe(object, head), allowance);
    }
    const facts = await this.factsOf(object, head, signal);
    const identified = await this.ledger.identified(scan.scanId, facts);
    const description = describe(object, facts);
    if (identified.kind === 'duplicate') {
      return ended('duplicate', KNOWN, { ...description, ofScanId: identified.ofScanId });
    }
    if (identified.kind === 'superseded') {
      return ended('superseded', 'overwritten', { ...description, detail: note });
    }
    if (head.isArchived) {
      const reason = head.isRestoring ? 'restore_in_progress' : 'storage_class_archived';
      return ended('archived', reason, description);
    }
    return ended('present', '', description, allowance);
  }

  private async isFirstLook({ scanId }: ScanContext): Promise<boolean> {
    return (await this.ledger.standing(scanId)).spokenGeneration === undefined;
  }

  private async factsOf(object: PinnedObject, head: ObjectHead, signal: AbortSignal): Promise<ObjectFacts> {
    const { eTag, sizeBytes, lastModified, contentType, storageClass } = head;
    const facts = { eTag, sizeBytes, lastModified, contentType, storageClass };
    if (head.isArchived) return facts;
    const start = await this.reads.peek({ ...object, sizeBytes }, TYPE_BYTES, signal);
    return { ...facts, detectedType: await detectType(start) };
  }
}

const KNOWN = 'same_version_already_scanned';

function describe(object: PinnedObject, facts: ObjectFacts) {
  return {
    endpointId: object.endpointId,
    bucket: object.bucket,
    key: object.key,
    versionId: object.versionId ?? null,
    eTag: facts.eTag,
    sizeBytes: facts.sizeBytes,
    lastModified: facts.lastModified,
    detectedType: facts.detectedType ?? null,
    storageClass: facts.storageClass ?? 'STANDARD',
  };
}

const ended = (
  outcome: 'present' | 'duplicate' | Gap,
  reason: string,
  object: Readonly<Record<string, string | number | null | undefined>>,
  allowance?: Allowance,
): TaskOutcome => ({
  kind: 'completed',
  output: {
    outcome,
    reason,
    object: Object.fromEntries(Object.entries(object).map(([key, value]) => [key, value ?? null])),
    ...(allowance !== undefined && {
      allowed: {
        ofScanId: allowance.scanId,
        sha256: allowance.sha256,
        reviewId: allowance.reviewId,
        decidedBy: allowance.decidedBy,
        at: new Date(allowance.at).toISOString(),
      },
    }),
  },
});
