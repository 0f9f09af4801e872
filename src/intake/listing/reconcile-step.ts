import { PRIORITY } from '../../backlog/priorities.js';
import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { BucketPolicy } from '../../s3/buckets.js';
import type { ListingPage } from '../../s3/list-pages.js';
import { StorageError } from '../../s3/storage-error.js';
import { wholeMilliseconds } from '../../verdicts/whole-milliseconds.js';
import { storeRejects } from '../sql/store-rejects.js';
import { countsOf, usableEntries } from './backfill-step.js';
import type { RunCounts } from './run-answer.js';
import { added, type Run } from './run.js';
import { findWatch, tellMissed, tellReconciled } from './sql/bucket-watch.js';
import { knownVersions } from './sql/known-versions.js';
import { absentRows, markVanished, type AbsentRow } from './sql/vanished.js';
import { renewClaim } from './sql/runs.js';
import { commitStep, LEASE_MS, RunLost, type ListingParts } from './steps.js';
import { listedVersion, storeListed, type ListedVersion } from './store-listed.js';

export type ReconcileRun = Run & { readonly kind: 'reconcile' };

/** What a page told of the key in which it ended: the next page tells the rest of it. Lost in a crash, it costs HEADs. */
export interface Carried {
  key: string | undefined;
  identities: Set<string>;
}

export interface ReconcileArgs {
  readonly policy: BucketPolicy;
  readonly carried: Carried;
  readonly signal: AbortSignal;
}

// The clock of the S3 server is not ours.
const CLOCK_MARGIN_MS = 15 * 60_000;
const ABSENT_AT_ONCE = 500;
const HEADS_AT_ONCE = 8;

/**
 * Compares one page of the bucket with the ledger: scans what is missing here, marks what is no longer there, and stores how
 * far it is. @returns the run as it is now. @throws RunLost
 */
export async function storeReconciledPage(
  parts: ListingParts,
  run: ReconcileRun,
  page: ListingPage,
  { policy, carried, signal }: ReconcileArgs,
): Promise<Run> {
  const { endpointId, bucket } = policy;
  const { usable, rejects, markers } = usableEntries(page.entries, bucket);
  const versions = usable.map((entry) => listedVersion(endpointId, bucket, entry));
  const last = page.entries.at(-1)?.key;
  const checked = await checkAbsent(parts, run, { page, versions, carried, signal, policy });

  const after = await commitStep(parts, checked, async (tx) => {
    const at = wholeMilliseconds(parts.clock);
    await storeRejects(
      tx,
      rejects.map((rejected) => ({ rejected, sourceKind: 'listing', endpointId, at })),
    );
    const sorted = await sortMissing(tx, run, versions, at);
    const outcomes = await storeListed(tx, sorted.wanted, {
      runId: run.id,
      source: 'reconcile',
      priority: PRIORITY.missed,
      rescan: false,
      at,
      match: await parts.rules.match(tx),
    });
    await alertOfMissed(tx, parts, run, sorted.missed, at);
    const counts: RunCounts = added(countsOf(outcomes), {
      listed: versions.length,
      listedBytes: versions.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      markers,
      unusable: rejects.length,
      missing: sorted.missed.length,
      young: sorted.young,
      older: sorted.older,
      ...sorted.dated,
      listRequests: page.requests,
    });
    if (page.next !== undefined) return { counts, place: page.next };
    const missedNothing = checked.counts.missing + sorted.missed.length === 0;
    // A part of a bucket says nothing of the whole.
    if (run.prefix === '') await tellReconciled(tx, { endpointId, bucket, missedNothing, at });
    return { counts, listedAt: at };
  });
  parts.bell.ring();
  carry(carried, last, versions);
  return after;
}

/** A key may go on over several pages. */
function carry(carried: Carried, last: string | undefined, versions: readonly ListedVersion[]): void {
  if (carried.key !== last) carried.identities = new Set();
  carried.key = last;
  for (const { ref, identity } of versions) if (ref.key === last) carried.identities.add(identity);
}

interface SortedMissing {
  /** Goes to the ledger: what is known, and what is to be scanned. */
  readonly wanted: readonly ListedVersion[];
  /** Uploaded while we watch, and no event told of it. */
  readonly missed: readonly ListedVersion[];
  readonly young: number;
  readonly older: number;
  /** The same of what the bucket dates into the run's window. */
  readonly dated: DatedCounts;
}

type DatedCounts = Pick<RunCounts, 'dated' | 'datedKnown' | 'datedMissing' | 'datedYoung' | 'datedOlder'>;

async function sortMissing(
  tx: Queryable,
  { options }: ReconcileRun,
  versions: readonly ListedVersion[],
  now: Instant,
): Promise<SortedMissing> {
  const known = await knownVersions(tx, versions);
  const first = versions[0];
  const watch = first === undefined ? undefined : await findWatch(tx, first.ref);
  const since = (watch?.since ?? now) - CLOCK_MARGIN_MS;
  const wanted: ListedVersion[] = [];
  const missed: ListedVersion[] = [];
  let young = 0;
  let older = 0;
  const dated = { dated: 0, datedKnown: 0, datedMissing: 0, datedYoung: 0, datedOlder: 0 };
  const { window } = options;
  for (const version of versions) {
    const { uploadedAt } = version;
    const isDated = window !== undefined && uploadedAt >= window.from && uploadedAt < window.to;
    const countIn = (name: keyof DatedCounts): void => {
      if (isDated) dated[name] += 1;
    };
    countIn('dated');
    if (known.has(version)) {
      countIn('datedKnown');
      wanted.push(version);
    } else if (uploadedAt > now - options.graceMs) {
      countIn('datedYoung');
      young += 1;
    } else if (uploadedAt < since) {
      countIn('datedOlder');
      older += 1;
      if (options.includeOlder) wanted.push(version);
    } else {
      countIn('datedMissing');
      missed.push(version);
      wanted.push(version);
    }
  }
  return { wanted, missed, young, older, dated };
}

// Enough to see what they have in common.
const KEYS_IN_ALERT = 20;

/** Told once, until a comparison of the whole bucket misses nothing. */
async function alertOfMissed(
  tx: Queryable,
  { log, alerts }: ListingParts,
  run: ReconcileRun,
  missed: readonly ListedVersion[],
  at: Instant,
): Promise<void> {
  const [first] = missed;
  if (first === undefined) return;
  const { endpointId, bucket } = first.ref;
  const uploadedAt = Math.min(...missed.map((version) => version.uploadedAt));
  const isFirst = await tellMissed(tx, { endpointId, bucket, count: missed.length, uploadedAt, at });
  if (!isFirst) return;
  const since = new Date(uploadedAt).toISOString();
  log.error(
    { bucket, endpointId, runId: run.id, since },
    'uploads were found that no event told of: the events of this bucket do not arrive',
  );
  await alerts.tell(tx, {
    key: `missed:${endpointId}/${bucket}:${at}`,
    subject: `events of ${bucket} do not arrive`,
    lines: [
      `Comparing ${bucket} with the ledger found uploads that no event told of, the oldest of ${since}. They are being scanned.`,
      ...missed.slice(0, KEYS_IN_ALERT).map(({ ref, lastModified }) => `${ref.key} of ${lastModified}`),
    ],
    remedy: `Check the notification of ${bucket} and what carries it: sallyport doctor. Nothing more is said until a comparison misses nothing.`,
  });
}

interface AbsentCheck {
  readonly page: ListingPage;
  readonly versions: readonly ListedVersion[];
  readonly carried: Carried;
  readonly signal: AbortSignal;
  readonly policy: BucketPolicy;
}

/** Marks as deleted what the ledger has in the page's range of keys and the bucket has no more: HEAD has the last word. */
async function checkAbsent(
  parts: ListingParts,
  run: ReconcileRun,
  check: AbsentCheck,
): Promise<ReconcileRun> {
  const { page, versions, carried, policy, signal } = check;
  const { storage, database, clock, owner } = parts;
  const last = page.entries.at(-1)?.key ?? page.next?.key;
  // The key in which the page ended goes on in the next one.
  const beforeKey = page.next === undefined ? undefined : last;
  const told = new Set(versions.map(({ identity }) => identity));
  if (carried.key !== undefined) for (const identity of carried.identities) told.add(identity);
  const range = {
    endpointId: policy.endpointId,
    bucket: policy.bucket,
    prefix: run.prefix,
    fromKey: run.checkedKey,
    beforeKey,
    told: [...told],
    seenBefore: wholeMilliseconds(clock) - run.options.graceMs,
    limit: ABSENT_AT_ONCE,
  };
  let current = run;
  let after: { key: string; id: string } | undefined;
  for (;;) {
    const rows = await absentRows(database, { ...range, after });
    const end = rows.at(-1);
    const until = wholeMilliseconds(clock) + LEASE_MS;
    if (!(await renewClaim(database, { id: run.id, owner, until }))) throw new RunLost();
    const gone = await goneAmong(rows, (row) => isGone(storage, policy, row, signal), signal);
    const isEnd = end === undefined || rows.length < ABSENT_AT_ONCE;
    if (gone.length > 0 || isEnd) {
      current = (await commitStep(parts, current, async (tx) => ({
        counts: {
          vanished: await markVanished(
            tx,
            gone.map(({ id }) => id),
            wholeMilliseconds(clock),
          ),
        },
        // Keys before this one are done with; the one itself may go on.
        ...(isEnd && beforeKey !== undefined && { checkedKey: beforeKey }),
      }))) as ReconcileRun;
    }
    if (isEnd) return current;
    after = { key: end.key, id: end.id };
  }
}

async function goneAmong(
  rows: readonly AbsentRow[],
  isAway: (row: AbsentRow) => Promise<boolean>,
  signal: AbortSignal,
): Promise<AbsentRow[]> {
  const gone: AbsentRow[] = [];
  for (let at = 0; at < rows.length; at += HEADS_AT_ONCE) {
    signal.throwIfAborted();
    const some = rows.slice(at, at + HEADS_AT_ONCE);
    const answers = await Promise.all(some.map(isAway));
    gone.push(...some.filter((_, index) => answers[index] === true));
  }
  return gone;
}

async function isGone(
  storage: ListingParts['storage'],
  policy: BucketPolicy,
  row: AbsentRow,
  signal: AbortSignal,
): Promise<boolean> {
  const { endpointId, bucket } = policy;
  const { key, version_id: versionId } = row;
  try {
    await storage.head({ endpointId, bucket, key, ...(versionId !== null && { versionId }) }, signal);
    return false;
  } catch (error) {
    if (error instanceof StorageError && error.outcome === 'gone') return true;
    // Not allowed to look, or another object in its place: nothing that says that it is gone.
    if (error instanceof StorageError && !error.retryable) return false;
    throw error;
  }
}
