import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { appendAudit } from '../audit/audit.js';
import { BacklogBell } from '../backlog/backlog-bell.js';
import { PRIORITY } from '../backlog/priorities.js';
import { enqueue } from '../backlog/sql/enqueue.js';
import { Clock } from '../clock.js';
import { wholeMilliseconds } from '../verdicts/whole-milliseconds.js';
import { Database } from '../database/database.js';
import type { Queryable } from '../database/queryable.js';
import { Conflict, InvalidInput, NotFound, Unavailable } from '../errors.js';
import { asSentence } from '../s3/as-sentence.js';
import { Buckets, type BucketPolicy } from '../s3/buckets.js';
import { ObjectStorage, type ObjectHead } from '../s3/object-storage.js';
import { StorageError } from '../s3/storage-error.js';
import { askObject } from '../triggers/ask-object.js';
import type { Start } from '../triggers/match.js';
import { TriggerRules } from '../triggers/trigger-rules.js';
import { headIdentity, isVersioned, lockKeys, versionIdentity } from '../verdicts/identity.js';
import type { ObjectRef } from '../verdicts/ledger.js';
import { demoteOthers, findByIdentities, insertObjects } from '../verdicts/sql/object-rows.js';
import { openScans, raiseGenerations } from '../verdicts/sql/open-scan.js';
import { quarantinedAt } from './sql/quarantined-at.js';
import { findBucket } from './find-bucket.js';

export interface ScanRequest {
  /** Needed where several endpoints have a bucket of the name. */
  readonly endpointId?: string | undefined;
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string | undefined;
}

/** What was asked for; the workflow starts when its turn in the backlog comes. */
export interface ScanRequested {
  readonly scanId: string;
  readonly objectId: string;
  readonly workflowId: string;
}

/** An object as HEAD told it. */
interface FoundObject {
  readonly ref: ObjectRef;
  readonly head: ObjectHead;
  readonly isLatest: boolean;
  readonly target: ScanTarget;
}

/** What scans it. */
type ScanTarget = Pick<Start, 'workflowName' | 'workflowVersion' | 'input'>;

const DEFAULT_WORKFLOW = 'scan_upload';

/** Scans that somebody asks for: each a new generation of the object as it is now. */
@Injectable()
export class ScanRequests {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly buckets: Buckets,
    private readonly storage: ObjectStorage,
    private readonly rules: TriggerRules,
    private readonly bell: BacklogBell,
  ) {}

  /**
   * @param actor as in AuditEvent
   * @throws InvalidInput for a bucket that is not registered, NotFound for an object that is not there.
   */
  async request(wanted: ScanRequest, actor: string): Promise<ScanRequested> {
    const policy = this.policyFor(wanted);
    const { bucket, key, versionId } = wanted;
    const asked = {
      endpointId: policy.endpointId,
      bucket,
      key,
      ...(versionId !== undefined && { versionId }),
    };
    const head = await this.head(asked);
    // Without versions S3 tells none; with them, what is there now has one.
    const found = head.versionId ?? versionId;
    const ref: ObjectRef = { ...asked, ...(found !== undefined && { versionId: found }) };
    const target = await this.targetOf(ref, head);
    const requested = await this.database.transaction((tx) =>
      // Whoever names no version means the one that is there now.
      this.open(tx, { ref, head, isLatest: versionId === undefined, target }, actor),
    );
    this.bell.ring();
    return requested;
  }

  private policyFor({ bucket, endpointId }: ScanRequest): BucketPolicy {
    const found = findBucket(this.buckets, bucket, endpointId);
    if (found.kind === 'found') return found.policy;
    if (found.kind === 'ambiguous') {
      const ids = found.endpointIds.slice(0, 10).join(', ');
      throw InvalidInput.field(
        'endpointId',
        `is needed: ${bucket} is registered on several endpoints (${ids})`,
      );
    }
    throw InvalidInput.field(
      'bucket',
      `${bucket} is not a registered bucket, or disabled; register it first: sallyport bucket add ${bucket} --endpoint ID`,
    );
  }

  private async open(tx: Queryable, found: FoundObject, actor: string): Promise<ScanRequested> {
    const { ref, head, isLatest, target } = found;
    const at = wholeMilliseconds(this.clock);
    await lockKeys(tx, [ref]);
    const identity = isVersioned(ref) ? versionIdentity(ref) : headIdentity(ref, head);
    const known = (await findByIdentities(tx, [identity])).get(identity);
    const objectId = known?.id ?? randomUUID();
    if (known === undefined) {
      const uploadedAt = Date.parse(head.lastModified);
      await insertObjects(tx, [
        {
          id: objectId,
          ref,
          identity,
          identityFixed: true,
          origin: 'request',
          facts: head,
          isLatest,
          uploadedAt: Number.isNaN(uploadedAt) ? at : uploadedAt,
          firstSeenAt: at,
          generation: 1,
        },
      ]);
      if (isLatest) await demoteOthers(tx, [{ ref, id: objectId }]);
    }
    const raised = known === undefined ? undefined : await raiseGenerations(tx, [objectId]);
    const generation = raised?.get(objectId) ?? 1;
    const { workflowName, workflowVersion, input: extraInput } = target;
    const [opened] = await openScans(tx, [
      {
        objectId,
        origin: 'request',
        requestedBy: actor,
        openedObject: known === undefined,
        workflowName,
        at,
        generation,
      },
    ]);
    if (opened === undefined) throw new Error('a scan was opened without an id');
    const { scanId, workflowId } = opened;
    const priority = PRIORITY.request;
    const what = { workflowName, workflowVersion, workflowId, extraInput, sizeBytes: head.sizeBytes };
    await enqueue(tx, [{ scanId, objectId, ref, priority, ...what, source: 'request', at }]);
    await appendAudit(tx, [
      { at, actor, action: 'scan.requested', subject: `object:${objectId}`, data: { scanId, generation } },
    ]);
    return { scanId, objectId, workflowId };
  }

  /** A rule that skips uploads does not stop a person; an allowing one may name another workflow. */
  private async targetOf(ref: ObjectRef, { sizeBytes, eTag }: ObjectHead): Promise<ScanTarget> {
    const match = await this.rules.match(this.database);
    const upload = { ...ref, sizeBytes, eTag, kind: 'created', source: 'request' };
    let matched = match(upload);
    if (matched.kind === 'start' && matched.undecided !== undefined) {
      try {
        matched = match((await askObject(this.storage, upload, matched.undecided)).upload);
      } catch (error) {
        throw error instanceof StorageError ? explained(error, ref) : error;
      }
    }
    return matched.kind === 'start' ? matched : { workflowName: DEFAULT_WORKFLOW };
  }

  private async head(ref: ObjectRef): Promise<ObjectHead> {
    try {
      return await this.storage.head(ref);
    } catch (error) {
      const place =
        error instanceof StorageError && error.outcome === 'gone'
          ? await quarantinedAt(this.database, ref)
          : undefined;
      if (place !== undefined) {
        throw new NotFound(
          `The object is in quarantine: s3://${place.bucket}/${place.key}. It is scanned again when a person releases it: sallyport review list`,
          { cause: error },
        );
      }
      throw error instanceof StorageError ? explained(error, ref) : error;
    }
  }
}

/** What S3's refusal means for somebody who asked for a scan. */
function explained(error: StorageError, ref: ObjectRef): Error {
  const options = { cause: error };
  switch (error.outcome) {
    case 'gone':
      return new NotFound(
        `There is no such object in ${ref.bucket}. Check the key and the version.`,
        options,
      );
    case 'throttled':
    case 'unreachable':
    case 'credentials':
      return new Unavailable('s3', `S3 does not answer: ${asSentence(error.detail)} Try again.`, options);
    case 'denied':
      return new Conflict(`S3 refuses to show this object: ${error.detail}`, { outcome: 'denied' }, options);
    case 'archived':
    case 'superseded':
    case 'other':
      // HEAD's answer has no body, so S3 cannot say more than that it dislikes what was asked.
      return ref.versionId !== undefined
        ? InvalidInput.field('versionId', `S3 does not take it: ${error.detail}`, options)
        : new Conflict(`S3 answered ${error.s3Code}: ${error.detail}`, { outcome: error.outcome }, options);
    default:
      return error.outcome satisfies never;
  }
}
