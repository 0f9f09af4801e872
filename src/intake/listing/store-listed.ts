import { randomUUID } from 'node:crypto';
import { enqueue, type NewItem } from '../../backlog/sql/enqueue.js';
import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { ListedEntry } from '../../s3/listing-guard.js';
import { releasedAmong } from '../../tasks/object/sql/released-objects.js';
import type { Match, Start, Upload } from '../../triggers/match.js';
import { asUndecided } from '../../triggers/undecided.js';
import { headIdentity, isVersioned, lockKeys, versionIdentity } from '../../verdicts/identity.js';
import type { ObjectRef } from '../../verdicts/ledger.js';
import { appendVerdicts, type NewVerdict } from '../../verdicts/sql/append-verdict.js';
import { demoteOthers, insertObjects, type NewObject } from '../../verdicts/sql/object-rows.js';
import { openScans, raiseGenerations } from '../../verdicts/sql/open-scan.js';
import { eventKeyOf } from '../event-key.js';
import type { S3Event } from '../s3-event.js';
import { storeEvents } from '../sql/store-events.js';
import { needOf, type Need } from './need.js';
import { insertItems } from './sql/items.js';
import { knownVersions, supersededAmong, undelete, type KnownVersion } from './sql/known-versions.js';

/** A version as a listing told it, with its identity in the ledger. */
export interface ListedVersion {
  readonly ref: ObjectRef;
  readonly identity: string;
  readonly eTag: string;
  readonly sizeBytes: number;
  readonly lastModified: string;
  readonly storageClass: string | undefined;
  readonly isLatest: boolean;
  readonly uploadedAt: Instant;
}

/** Who asked, and for what. */
export interface ListedRequest {
  readonly runId: string;
  readonly source: 'backfill' | 'reconcile';
  readonly priority: number;
  /** Scans also what has a verdict. */
  readonly rescan: boolean;
  readonly at: Instant;
  readonly match: (upload: Upload) => Match;
}

/** What became of a listed version. `known`: nothing, because the ledger has it. */
export interface ListedOutcome {
  readonly version: ListedVersion;
  readonly outcome: 'known' | 'skipped' | 'enqueued';
}

/** What the rules are asked about. */
export const uploadOf = (
  {
    ref,
    eTag,
    sizeBytes,
  }: Pick<ListedVersion, 'ref'> & {
    readonly eTag?: string | undefined;
    readonly sizeBytes?: number | undefined;
  },
  source: string,
): Upload => ({ ...ref, eTag, sizeBytes, kind: 'created', source });

/** What a rule's answer says of the backlog's row. */
export const startOf = (match: Start, upload: Upload) => ({
  workflowName: match.workflowName,
  workflowVersion: match.workflowVersion,
  extraInput: match.input,
  undecided: match.undecided && asUndecided(upload),
});

interface Planned {
  readonly version: ListedVersion;
  readonly known: KnownVersion | undefined;
  readonly objectId: string;
  readonly need: Exclude<Need, 'nothing'>;
  readonly match: Match;
}

/** @param endpointId where the bucket is. */
export function listedVersion(endpointId: string, bucket: string, entry: ListedEntry): ListedVersion {
  const { key, versionId, eTag, sizeBytes, lastModified, storageClass, isLatest } = entry;
  const ref = { endpointId, bucket, key, ...(versionId !== undefined && { versionId }) };
  const identity = isVersioned(ref)
    ? versionIdentity(ref)
    : headIdentity(ref, { eTag, sizeBytes, lastModified });
  const uploadedAt = Date.parse(lastModified);
  return { ref, identity, eTag, sizeBytes, lastModified, storageClass, isLatest, uploadedAt };
}

/**
 * Puts what a listing told into the ledger and, what is to be scanned, into the backlog, with as many statements for a
 * thousand as for one. What the ledger has is not touched, and no key that has nothing new is locked.
 *
 * @returns what became of each, in the order given.
 */
export async function storeListed(
  tx: Queryable,
  versions: readonly ListedVersion[],
  request: ListedRequest,
): Promise<ListedOutcome[]> {
  const planned = await plan(tx, versions, request);
  const byVersion = new Map(planned.map((one) => [one.version, one]));
  await insertNew(tx, planned, request);
  await undelete(
    tx,
    planned.filter(({ known }) => known?.isDeleted).map(({ objectId }) => objectId),
  );
  await startScans(tx, planned, request);
  await speak(tx, planned, request);
  return versions.map((version) => {
    const one = byVersion.get(version);
    if (one === undefined || one.need === 'undelete') return { version, outcome: 'known' };
    return { version, outcome: one.match.kind === 'start' ? 'enqueued' : 'skipped' };
  });
}

async function plan(
  tx: Queryable,
  versions: readonly ListedVersion[],
  request: ListedRequest,
): Promise<Planned[]> {
  const before = await knownVersions(tx, versions);
  const candidates = versions.filter((one) => needOf(before.get(one), request) !== 'nothing');
  if (candidates.length === 0) return [];
  await lockKeys(
    tx,
    candidates.map(({ ref }) => ref),
  );
  // Whoever held a key's lock may have stored just this.
  const known = await knownVersions(tx, candidates);
  const fresh = candidates.filter((one) => !known.has(one));
  const released = await releasedAmong(tx, fresh);
  return candidates.flatMap((version): Planned[] => {
    const row = known.get(version);
    const need = needOf(row, request);
    if (need === 'nothing') return [];
    const match: Match = released.has(version)
      ? { kind: 'skip', rule: 'released_by_review' }
      : request.match(uploadOf(version, request.source));
    return [{ version, known: row, objectId: row?.id ?? randomUUID(), need, match }];
  });
}

async function insertNew(tx: Queryable, planned: readonly Planned[], { at }: ListedRequest): Promise<void> {
  const fresh = planned.filter(({ known }) => known === undefined);
  const latest = fresh.filter(({ version }) => version.isLatest).map(({ version }) => version);
  // An upload that came since the page was listed has told its event already.
  const superseded = await supersededAmong(tx, latest);
  const isLatest = (version: ListedVersion): boolean => version.isLatest && !superseded.has(version);
  await insertObjects(
    tx,
    fresh.map(({ version, objectId, match }): NewObject => ({
      id: objectId,
      ref: version.ref,
      identity: version.identity,
      identityFixed: true,
      origin: 'request',
      facts: version,
      isLatest: isLatest(version),
      uploadedAt: version.uploadedAt,
      firstSeenAt: at,
      generation: match.kind === 'start' ? 1 : 0,
    })),
  );
  await demoteOthers(
    tx,
    fresh
      .filter(({ version }) => isLatest(version))
      .map(({ version, objectId }) => ({ ref: version.ref, id: objectId })),
  );
}

async function startScans(tx: Queryable, planned: readonly Planned[], request: ListedRequest): Promise<void> {
  const { runId, source, priority, at } = request;
  const wanted = planned.flatMap((one) =>
    one.need === 'scan' && one.match.kind === 'start' ? [{ ...one, match: one.match }] : [],
  );
  const raised = await raiseGenerations(
    tx,
    wanted.filter(({ known }) => known !== undefined).map(({ objectId }) => objectId),
  );
  const scans = await openScans(
    tx,
    wanted.map(({ objectId, known, match }) => ({
      objectId,
      generation: raised.get(objectId) ?? 1,
      origin: 'request',
      requestedBy: `system:${source}:${runId}`,
      rule: match.rule,
      openedObject: known === undefined,
      workflowName: match.workflowName,
      at,
    })),
  );
  const items = wanted.flatMap(({ objectId, version, match }, index): (NewItem & { sizeBytes: number })[] => {
    const scan = scans[index];
    if (scan === undefined) return [];
    const { ref, sizeBytes } = version;
    const start = startOf(match, uploadOf(version, source));
    return [{ ...scan, ...start, objectId, ref, priority, source, at, sizeBytes }];
  });
  await enqueue(tx, items);
  await insertItems(tx, runId, items);
}

/** What no rule wants scanned gets a row that says so, unless it has a verdict, which stands. */
async function speak(tx: Queryable, planned: readonly Planned[], request: ListedRequest): Promise<void> {
  const skipped = planned.filter(
    ({ need, match, known }) =>
      need === 'scan' && match.kind === 'skip' && (known?.verdictGeneration ?? -1) < 0,
  );
  await storeEvents(
    tx,
    skipped
      .filter(({ known }) => known === undefined)
      .map(({ version, objectId }) => storedEvent(version, objectId, request)),
  );
  await appendVerdicts(
    tx,
    skipped.map(({ version, objectId, match }): NewVerdict => ({
      objectId,
      generation: 0,
      verdict: 'skipped',
      reason: match.rule,
      engines: [],
      bytesScanned: 0,
      bytesTotal: version.sizeBytes,
      notCovered: [],
      at: request.at,
      actor: `system:${request.source}`,
    })),
  );
}

/** A row that no scan opens is counted among the uploads by its event, also when a listing was what told of it. */
function storedEvent(version: ListedVersion, objectId: string, { at, source }: ListedRequest) {
  const { bucket, key, versionId, endpointId } = version.ref;
  const event: S3Event = {
    kind: 'created',
    eventName: `Listed:${source}`,
    sourceKind: 'listing',
    bucket,
    key,
    keyIsRaw: false,
    versionId,
    eTag: version.eTag,
    sizeBytes: version.sizeBytes,
    eventTime: version.uploadedAt,
  };
  return {
    eventKey: eventKeyOf(endpointId, event, randomUUID()),
    endpointId,
    event,
    receivedAt: at,
    objectId,
    openedObject: true,
    effect: 'skipped' as const,
  };
}
