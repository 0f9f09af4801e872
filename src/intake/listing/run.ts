import type { Instant } from '../../clock.js';
import type { ListingPlace } from '../../s3/listing-guard.js';
import type { Verdict } from '../../verdicts/verdict.js';
import type { Estimate } from './estimate.js';
import type { RunCounts, RunState } from './run-answer.js';

/** What may be asked of a backfill. */
export interface BackfillOptions {
  readonly versions: 'current' | 'all';
  readonly uploadedAfter?: Instant | undefined;
  readonly uploadedBefore?: Instant | undefined;
  /** Scans also what has a verdict. */
  readonly rescan: boolean;
  /** Ends with the estimate. */
  readonly dryRun: boolean;
  /** Begins when the estimate is there, without a confirmation. */
  readonly start: boolean;
}

/** Which rows of the ledger a rescan takes. Every condition that is absent holds. */
export interface RescanOptions {
  readonly verdicts?: readonly Verdict[] | undefined;
  readonly reasons?: readonly string[] | undefined;
  /** First seen at or after. */
  readonly seenAfter?: Instant | undefined;
  /** Its verdict was given before. */
  readonly judgedBefore?: Instant | undefined;
}

export interface ReconcileOptions {
  /** Younger uploads are left to their events. */
  readonly graceMs: number;
  /** Scans also what was uploaded before the bucket was watched. */
  readonly includeOlder: boolean;
  /** [from, to): what the bucket dates into it is counted apart. */
  readonly window?: { readonly from: Instant; readonly to: Instant } | undefined;
}

export const NO_COUNTS: RunCounts = {
  listed: 0,
  listedBytes: 0,
  markers: 0,
  outOfScope: 0,
  known: 0,
  knownBytes: 0,
  skipped: 0,
  enqueued: 0,
  enqueuedBytes: 0,
  settled: 0,
  settledBytes: 0,
  missing: 0,
  young: 0,
  older: 0,
  vanished: 0,
  unusable: 0,
  dated: 0,
  datedKnown: 0,
  datedMissing: 0,
  datedYoung: 0,
  datedOlder: 0,
  listRequests: 0,
};

export type Verdicts = Readonly<Partial<Record<Verdict, number>>>;

interface RunCommon {
  readonly id: string;
  readonly state: RunState;
  readonly endpointId: string | undefined;
  readonly bucket: string | undefined;
  readonly prefix: string;
  readonly requestedBy: string;
  /** `request`, `schedule`, or what changed, as `clamd 27834`. */
  readonly cause: string;
  readonly createdAt: Instant;
  readonly startedAt: Instant | undefined;
  /** Everything is enqueued; what follows is the scanning. */
  readonly listedAt: Instant | undefined;
  readonly endedAt: Instant | undefined;
  readonly place: ListingPlace | undefined;
  readonly checkedKey: string | undefined;
  readonly ledgerPlace: { readonly at: Instant; readonly id: string } | undefined;
  readonly step: number;
  readonly leaseOwner: string | undefined;
  readonly leaseUntil: Instant;
  readonly notBefore: Instant;
  readonly failures: number;
  readonly lastError: string | undefined;
  readonly counts: RunCounts;
  readonly verdicts: Verdicts;
  readonly pace: number | undefined;
  readonly settledAt: Instant | undefined;
  readonly estimate: Estimate | undefined;
}

/** One backfill, rescan or reconciliation. */
export type Run = RunCommon &
  (
    | { readonly kind: 'backfill'; readonly options: BackfillOptions }
    | { readonly kind: 'rescan'; readonly options: RescanOptions }
    | { readonly kind: 'reconcile'; readonly options: ReconcileOptions }
  );

/** Sums counts; what is absent changes nothing. */
export function added(counts: RunCounts, more: Partial<RunCounts>): RunCounts {
  const sum: { -readonly [Name in keyof RunCounts]: number } = { ...NO_COUNTS, ...counts };
  for (const name of Object.keys(NO_COUNTS) as (keyof RunCounts)[]) sum[name] += more[name] ?? 0;
  return sum;
}

/** How many of its scans have no verdict yet. */
export const outstanding = ({ counts }: Pick<Run, 'counts'>): number => counts.enqueued - counts.settled;
