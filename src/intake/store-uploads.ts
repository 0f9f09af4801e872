import { randomUUID } from 'node:crypto';
import { enqueue, type NewItem } from '../backlog/sql/enqueue.js';
import type { Instant } from '../clock.js';
import type { Queryable } from '../database/queryable.js';
import { releasedAmong } from '../tasks/object/sql/released-objects.js';
import type { Match, Upload } from '../triggers/match.js';
import { asUndecided } from '../triggers/undecided.js';
import { isVersioned, provisionalIdentity, versionIdentity } from '../verdicts/identity.js';
import type { ObjectRef } from '../verdicts/ledger.js';
import { appendVerdicts, type NewVerdict } from '../verdicts/sql/append-verdict.js';
import {
  demoteOthers,
  findByIdentities,
  findRestored,
  haveLatest,
  insertObjects,
  overtaken,
  tellUploaders,
  type NewObject,
  type Sequence,
} from '../verdicts/sql/object-rows.js';
import { openScans, raiseGenerations } from '../verdicts/sql/open-scan.js';
import type { Verdict } from '../verdicts/verdict.js';
import { occurrenceOf } from './event-key.js';
import type { S3Event, SourceKind } from './s3-event.js';
import { sequenceOf } from './sequencer.js';
import type { Effect } from './sql/store-events.js';
import { uploaderOf } from './uploader.js';

/** An upload event of a registered bucket. The caller holds the key's lock. */
export interface UploadEvent {
  readonly ref: ObjectRef;
  readonly event: S3Event;
  readonly nonce: string;
  readonly receivedAt: Instant;
  /** 0..99 of its bucket; the rule's when absent. */
  readonly priority?: number | undefined;
}

export interface UploadEffect {
  readonly objectId: string;
  readonly openedObject: boolean;
  readonly effect: Effect;
}

/** What an upload leads to: nothing new, a scan, or a verdict that needs none. */
type Decision =
  | { readonly kind: 'known' }
  | { readonly kind: 'scan'; readonly match: Extract<Match, { kind: 'start' }> }
  | { readonly kind: 'speak'; readonly verdict: Extract<Verdict, Effect>; readonly reason: string };

interface Decided extends UploadEvent {
  readonly objectId: string;
  readonly identity: string;
  readonly sequence: Sequence | undefined;
  readonly isNew: boolean;
  readonly isStale: boolean;
  readonly isLatest: boolean;
  readonly decision: Decision;
}

/**
 * Puts uploads of different keys into the ledger and, those that are to be scanned, into the backlog: all in the events'
 * transaction, with as many statements for a thousand as for one.
 *
 * @returns what each one did, in the order given.
 */
export async function storeUploads(
  tx: Queryable,
  uploads: readonly UploadEvent[],
  match: (upload: Upload) => Match,
): Promise<UploadEffect[]> {
  if (uploads.length === 0) return [];
  const decided = await decide(tx, uploads, match);
  await insertObjects(tx, decided.filter(({ isNew }) => isNew).map(newObject));
  await tellUploaders(tx, decided.flatMap(uploaderOfKnown));
  await demoteOthers(
    tx,
    decided
      .filter(({ isNew, isLatest }) => isNew && isLatest)
      .map(({ ref, objectId }) => ({ ref, id: objectId })),
  );
  await startScans(tx, decided);
  await appendVerdicts(tx, decided.flatMap(verdictOf));
  return decided.map(({ objectId, isNew, decision }) => ({
    objectId,
    openedObject: isNew,
    effect: decision.kind === 'speak' ? decision.verdict : decision.kind,
  }));
}

const SIGHTINGS: ReadonlySet<SourceKind> = new Set(['guardduty', 'job']);

async function decide(
  tx: Queryable,
  uploads: readonly UploadEvent[],
  match: (upload: Upload) => Match,
): Promise<Decided[]> {
  const seen = uploads.map((upload) => ({
    ...upload,
    identity: identityOf(upload),
    sequence: sequenceOf(upload.event.sourceKind, upload.event.sequencer),
    eTag: upload.event.eTag,
  }));
  const known = await findByIdentities(
    tx,
    seen.map(({ identity }) => identity),
  );
  for (const { identity, ref, event } of seen) {
    if (known.has(identity) || event.kind !== 'restored' || isVersioned(ref)) continue;
    const restored = await findRestored(tx, ref, event.eTag);
    if (restored !== undefined) known.set(identity, restored);
  }
  const fresh = seen.filter(({ identity }) => !known.has(identity));
  const stale = await overtaken(
    tx,
    fresh.filter((upload): upload is typeof upload & { sequence: Sequence } => upload.sequence !== undefined),
  );
  // Who tells of an object that was seen does not say that it was uploaded just now.
  const settled = await haveLatest(
    tx,
    fresh.filter(({ ref, event }) => isVersioned(ref) && SIGHTINGS.has(event.sourceKind)),
  );
  const released = await releasedAmong(tx, fresh);
  return seen.map((upload): Decided => {
    const { ref, event, identity } = upload;
    const objectId = known.get(identity)?.id;
    const isStale = (stale as ReadonlySet<unknown>).has(upload);
    const scanOrSkip = (): Decision => asDecision(match(matchable(upload)));
    const isLatest = !isStale && !(settled as ReadonlySet<unknown>).has(upload);
    const common = {
      ...upload,
      isStale,
      isLatest,
      isNew: objectId === undefined,
      objectId: objectId ?? randomUUID(),
    };
    if (objectId !== undefined) {
      return { ...common, decision: event.kind === 'restored' ? scanOrSkip() : { kind: 'known' } };
    }
    // An older version is still downloadable and is scanned; an older state of an unversioned object is no more.
    if (isStale && !isVersioned(ref)) {
      return { ...common, decision: { kind: 'speak', verdict: 'superseded', reason: 'stale_event' } };
    }
    if (released.has(upload)) {
      return { ...common, decision: { kind: 'speak', verdict: 'skipped', reason: 'released_by_review' } };
    }
    // Where our own writes came back as uploads, the service would work for itself for ever.
    if (event.isOwn === true) {
      return { ...common, decision: { kind: 'speak', verdict: 'skipped', reason: 'own_write' } };
    }
    return { ...common, decision: scanOrSkip() };
  });
}

function identityOf({ ref, event, nonce }: UploadEvent): string {
  if (isVersioned(ref)) return versionIdentity(ref);
  const { eTag, sizeBytes } = event;
  return provisionalIdentity(ref, { eTag, sizeBytes, occurrence: occurrenceOf(event) ?? `n:${nonce}` });
}

const matchable = ({ ref, event, priority }: UploadEvent): Upload => ({
  ...ref,
  sizeBytes: event.sizeBytes,
  eTag: event.eTag,
  kind: event.kind,
  source: event.sourceKind,
  bucketPriority: priority,
});

const asDecision = (match: Match): Decision =>
  match.kind === 'start'
    ? { kind: 'scan', match }
    : { kind: 'speak', verdict: 'skipped', reason: match.rule };

const newObject = ({
  objectId,
  ref,
  event,
  identity,
  sequence,
  decision,
  ...upload
}: Decided): NewObject => ({
  id: objectId,
  ref,
  identity,
  identityFixed: isVersioned(ref),
  origin: 'event',
  facts: { eTag: event.eTag, sizeBytes: event.sizeBytes },
  sequence,
  isLatest: upload.isLatest,
  uploadedAt: event.eventTime ?? upload.receivedAt,
  firstSeenAt: upload.receivedAt,
  uploader: uploaderOf(event),
  generation: decision.kind === 'scan' ? 1 : 0,
});

function uploaderOfKnown({ isNew, objectId, event }: Decided): { objectId: string; uploader: string }[] {
  const uploader = isNew ? undefined : uploaderOf(event);
  return uploader === undefined ? [] : [{ objectId, uploader }];
}

async function startScans(tx: Queryable, decided: readonly Decided[]): Promise<void> {
  const wanted = decided.flatMap((upload) =>
    upload.decision.kind === 'scan' ? [{ ...upload, match: upload.decision.match }] : [],
  );
  const raised = await raiseGenerations(
    tx,
    wanted.filter(({ isNew }) => !isNew).map(({ objectId }) => objectId),
  );
  const scans = await openScans(
    tx,
    wanted.map(({ objectId, match, receivedAt }) => ({
      objectId,
      generation: raised.get(objectId) ?? 1,
      origin: 'event',
      requestedBy: 'system:intake',
      rule: match.rule,
      openedObject: false,
      workflowName: match.workflowName,
      at: receivedAt,
    })),
  );
  await enqueue(
    tx,
    wanted.flatMap((upload, index): NewItem[] => {
      const { objectId, ref, event, match, receivedAt } = upload;
      const scan = scans[index];
      if (scan === undefined) return [];
      return [
        {
          ...scan,
          objectId,
          ref,
          priority: match.priority,
          workflowName: match.workflowName,
          workflowVersion: match.workflowVersion,
          extraInput: match.input,
          undecided: match.undecided && asUndecided(matchable(upload)),
          source: event.sourceKind,
          sizeBytes: event.sizeBytes,
          at: receivedAt,
        },
      ];
    }),
  );
}

function verdictOf({ objectId, event, decision, receivedAt }: Decided): NewVerdict[] {
  if (decision.kind !== 'speak') return [];
  return [
    {
      objectId,
      generation: 0,
      verdict: decision.verdict,
      reason: decision.reason,
      engines: [],
      bytesScanned: 0,
      bytesTotal: event.sizeBytes ?? 0,
      notCovered: [],
      at: receivedAt,
      actor: 'system:intake',
    },
  ];
}
