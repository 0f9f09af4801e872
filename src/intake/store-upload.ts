import { randomUUID } from 'node:crypto';
import { enqueue } from '../backlog/sql/enqueue.js';
import type { Instant } from '../clock.js';
import type { Queryable } from '../database/queryable.js';
import { isReleased } from '../tasks/object/sql/released-objects.js';
import type { Match, Upload } from '../triggers/match.js';
import { isVersioned, provisionalIdentity, versionIdentity } from '../verdicts/identity.js';
import type { ObjectRef } from '../verdicts/ledger.js';
import { appendVerdict } from '../verdicts/sql/append-verdict.js';
import {
  demoteOthers,
  findByIdentity,
  findRestored,
  hasLaterUpload,
  insertObject,
} from '../verdicts/sql/object-rows.js';
import { openScan } from '../verdicts/sql/open-scan.js';
import type { Verdict } from '../verdicts/verdict.js';
import { occurrenceOf } from './event-key.js';
import type { S3Event } from './s3-event.js';
import { sequenceOf } from './sequencer.js';
import type { Effect } from './sql/store-events.js';

/** An upload event of a registered bucket, with what its message shares. The caller holds the key's lock. */
export interface UploadEvent {
  readonly ref: ObjectRef;
  readonly event: S3Event;
  readonly nonce: string;
  readonly receivedAt: Instant;
  readonly match: (upload: Upload) => Match;
}

export interface UploadEffect {
  readonly objectId: string;
  readonly openedObject: boolean;
  readonly effect: Effect;
}

/** Puts an upload into the ledger and, when it is to be scanned, into the backlog: all in the event's transaction. */
export async function storeUpload(tx: Queryable, upload: UploadEvent): Promise<UploadEffect> {
  const known = await findKnown(tx, upload);
  if (known !== undefined) {
    if (upload.event.kind !== 'restored') return { objectId: known.id, openedObject: false, effect: 'known' };
    return { objectId: known.id, openedObject: false, effect: await decideScan(tx, upload, known.id) };
  }
  const objectId = randomUUID();
  const { ref, event } = upload;
  const sequence = sequenceOf(event.sourceKind, event.sequencer);
  const isStale = sequence !== undefined && (await hasLaterUpload(tx, ref, sequence));
  await insertObject(tx, {
    id: objectId,
    ref,
    identity: identityOf(upload),
    identityFixed: isVersioned(ref),
    origin: 'event',
    facts: { eTag: event.eTag, sizeBytes: event.sizeBytes },
    sequence,
    isLatest: !isStale,
    uploadedAt: event.eventTime ?? upload.receivedAt,
    firstSeenAt: upload.receivedAt,
  });
  if (!isStale) await demoteOthers(tx, ref, objectId);
  return { objectId, openedObject: true, effect: await decideNew(tx, upload, objectId, isStale) };
}

async function findKnown(tx: Queryable, upload: UploadEvent): Promise<{ readonly id: string } | undefined> {
  const { ref, event } = upload;
  const same = await findByIdentity(tx, identityOf(upload));
  if (same !== undefined || event.kind !== 'restored' || isVersioned(ref)) return same;
  return findRestored(tx, ref, event.eTag);
}

function identityOf({ ref, event, nonce }: UploadEvent): string {
  if (isVersioned(ref)) return versionIdentity(ref);
  const { eTag, sizeBytes } = event;
  return provisionalIdentity(ref, { eTag, sizeBytes, occurrence: occurrenceOf(event) ?? `n:${nonce}` });
}

async function decideNew(
  tx: Queryable,
  upload: UploadEvent,
  objectId: string,
  isStale: boolean,
): Promise<Effect> {
  // An older version is still downloadable and is scanned; an older state of an unversioned object is no more.
  if (isStale && !isVersioned(upload.ref)) {
    await speakWithoutScan(tx, upload, objectId, 'superseded', 'stale_event');
    return 'superseded';
  }
  if (await isReleased(tx, upload.ref, upload.event.eTag, upload.receivedAt)) {
    await speakWithoutScan(tx, upload, objectId, 'skipped', 'released_by_review');
    return 'skipped';
  }
  return decideScan(tx, upload, objectId);
}

async function decideScan(tx: Queryable, upload: UploadEvent, objectId: string): Promise<Effect> {
  const { ref, event, receivedAt } = upload;
  const match = upload.match({
    bucket: ref.bucket,
    key: ref.key,
    sizeBytes: event.sizeBytes,
    kind: event.kind,
  });
  if (match.kind === 'skip') {
    await speakWithoutScan(tx, upload, objectId, 'skipped', match.rule);
    return 'skipped';
  }
  const { rule, workflowName, priority } = match;
  const scan = await openScan(tx, {
    objectId,
    origin: 'event',
    requestedBy: 'system:intake',
    rule,
    openedObject: false,
    workflowName,
    at: receivedAt,
  });
  const { scanId, workflowId } = scan;
  await enqueue(tx, {
    scanId,
    objectId,
    ref,
    priority,
    workflowName,
    workflowId,
    source: event.sourceKind,
    at: receivedAt,
  });
  return 'scan';
}

const speakWithoutScan = (
  tx: Queryable,
  upload: UploadEvent,
  objectId: string,
  verdict: Verdict,
  reason: string,
): Promise<void> =>
  appendVerdict(tx, {
    objectId,
    generation: 0,
    verdict,
    reason,
    engines: [],
    bytesScanned: 0,
    bytesTotal: upload.event.sizeBytes ?? 0,
    notCovered: [],
    at: upload.receivedAt,
    actor: 'system:intake',
  });
