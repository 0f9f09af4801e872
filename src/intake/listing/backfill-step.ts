import { PRIORITY } from '../../backlog/priorities.js';
import type { ListedEntry } from '../../s3/listing-guard.js';
import type { ListingPage } from '../../s3/list-pages.js';
import { wholeMilliseconds } from '../../verdicts/whole-milliseconds.js';
import { keyProblem } from '../object-key.js';
import type { RejectedEvent } from '../s3-event.js';
import { storeRejects } from '../sql/store-rejects.js';
import type { RunCounts } from './run-answer.js';
import { added, NO_COUNTS, type BackfillOptions, type Run } from './run.js';
import { commitStep, type ListingParts } from './steps.js';
import { listedVersion, storeListed, type ListedOutcome } from './store-listed.js';

export type BackfillRun = Run & { readonly kind: 'backfill' };

/** Stores one page of a backfill. @returns the run as it is now. @throws RunLost */
export async function storeBackfillPage(
  parts: ListingParts,
  run: BackfillRun,
  page: ListingPage,
): Promise<Run> {
  const { endpointId = '', bucket = '' } = run;
  const { wanted, rejects, counts } = sortEntries(page.entries, run);
  const versions = wanted.map((entry) => listedVersion(endpointId, bucket, entry));
  const after = await commitStep(parts, run, async (tx) => {
    const at = wholeMilliseconds(parts.clock);
    await storeRejects(
      tx,
      rejects.map((rejected) => ({ rejected, sourceKind: 'listing', endpointId, at })),
    );
    const outcomes = await storeListed(tx, versions, {
      runId: run.id,
      source: 'backfill',
      priority: PRIORITY.backfill,
      rescan: run.options.rescan,
      at,
      match: await parts.rules.match(tx),
    });
    return {
      ...(page.next === undefined ? { listedAt: at } : { place: page.next }),
      counts: added(added(counts, countsOf(outcomes)), { listRequests: page.requests }),
    };
  });
  parts.bell.ring();
  return after;
}

/** What of a page is asked for, and what cannot be kept. */
export interface SortedEntries {
  readonly wanted: readonly ListedEntry[];
  readonly rejects: readonly RejectedEvent[];
  readonly counts: RunCounts;
}

export function sortEntries(
  entries: readonly ListedEntry[],
  { bucket, options }: { readonly bucket: string | undefined; readonly options: BackfillOptions },
): SortedEntries {
  const { usable, rejects, markers } = usableEntries(entries, bucket ?? '');
  const wanted = usable.filter((entry) => isWanted(entry, options));
  return {
    wanted,
    rejects,
    counts: {
      ...NO_COUNTS,
      listed: usable.length,
      listedBytes: usable.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      markers,
      outOfScope: usable.length - wanted.length,
      unusable: rejects.length,
    },
  };
}

/** Versions with keys that can be kept. What a hostile bucket names otherwise is told among the rejects. */
export function usableEntries(entries: readonly ListedEntry[], bucket: string) {
  const versions = entries.filter(({ isDeleteMarker }) => !isDeleteMarker);
  const usable: ListedEntry[] = [];
  const rejects: RejectedEvent[] = [];
  for (const entry of versions) {
    const problem = keyProblem(entry.key);
    if (problem === undefined) usable.push(entry);
    else rejects.push(unusableKey(entry, bucket, problem));
  }
  return { usable, rejects, markers: entries.length - versions.length };
}

const unusableKey = ({ key, versionId }: ListedEntry, bucket: string, problem: string): RejectedEvent => ({
  reason: 'unusable_key',
  path: 'key',
  message: `${problem}; the object cannot be scanned under this name`,
  bucket,
  raw: { key: key.toWellFormed(), versionId },
});

function isWanted(entry: ListedEntry, options: BackfillOptions): boolean {
  const at = Date.parse(entry.lastModified);
  return (
    (options.versions === 'all' || entry.isLatest) &&
    (options.uploadedAfter === undefined || at >= options.uploadedAfter) &&
    (options.uploadedBefore === undefined || at < options.uploadedBefore)
  );
}

export function countsOf(outcomes: readonly ListedOutcome[]): RunCounts {
  const of = (outcome: ListedOutcome['outcome']) => {
    const some = outcomes.filter((one) => one.outcome === outcome);
    return { count: some.length, bytes: some.reduce((sum, { version }) => sum + version.sizeBytes, 0) };
  };
  const known = of('known');
  const enqueued = of('enqueued');
  return {
    ...NO_COUNTS,
    known: known.count,
    knownBytes: known.bytes,
    skipped: of('skipped').count,
    enqueued: enqueued.count,
    enqueuedBytes: enqueued.bytes,
  };
}
