/* What the API says of runs over whole buckets: the service, the command line and the web page share it. It imports nothing. */

/**
 * `backfill`: what was in a bucket before we watched it. `rescan`: what the ledger knows, looked at again. `reconcile`:
 * a bucket compared with the ledger.
 */
export const RUN_KINDS = ['backfill', 'rescan', 'reconcile'] as const;
export type RunKind = (typeof RUN_KINDS)[number];

export const RUN_STATES = [
  'estimating',
  'estimated',
  'running',
  'paused',
  'completed',
  'cancelled',
  'failed',
] as const;
export type RunState = (typeof RUN_STATES)[number];

/** What a run came to so far. */
export interface RunCounts {
  /** Versions that the listing or the ledger told of, delete markers apart. */
  readonly listed: number;
  readonly listedBytes: number;
  readonly markers: number;
  /** Not asked for: too old, too new, not the current version. */
  readonly outOfScope: number;
  /** In the ledger already, with a verdict or on the way to one; not scanned by this run. */
  readonly known: number;
  readonly knownBytes: number;
  /** A trigger rule, or an earlier release, says that it is not scanned. */
  readonly skipped: number;
  readonly enqueued: number;
  readonly enqueuedBytes: number;
  /** Of the enqueued: those that have their verdict. */
  readonly settled: number;
  readonly settledBytes: number;
  /** Reconciling: uploads that no event told us of. */
  readonly missing: number;
  /** Reconciling: left to their events. */
  readonly young: number;
  /** Reconciling: uploaded before the bucket was watched, and not in the ledger. */
  readonly older: number;
  /** Reconciling: in the ledger and no longer in the bucket. */
  readonly vanished: number;
  /** Keys that we cannot keep; among the rejects with their reasons. */
  readonly unusable: number;
  /** Comparing for a report: listed ones that the bucket dates into its period, and what they came to. */
  readonly dated: number;
  readonly datedKnown: number;
  readonly datedMissing: number;
  readonly datedYoung: number;
  readonly datedOlder: number;
  readonly listRequests: number;
}

/** What a count is called before people, in the order in which it is shown. A count of bytes belongs to its objects'. */
export const COUNT_WORDS: Readonly<Record<Exclude<keyof RunCounts, `${string}Bytes`>, string>> = {
  listed: 'listed',
  outOfScope: 'not asked for',
  known: 'known already',
  skipped: 'skipped by a rule',
  enqueued: 'put in the queue',
  settled: 'of these, with a verdict',
  missing: 'that no event told of',
  young: 'left to their events',
  older: 'older than the watch',
  vanished: 'no longer in the bucket',
  markers: 'delete markers',
  unusable: 'keys that cannot be kept',
  dated: 'of the period that is reported',
  datedKnown: 'of these, known already',
  datedMissing: 'of these, that no event told of',
  datedYoung: 'of these, left to their events',
  datedOlder: 'of these, older than the watch',
  listRequests: 'LIST requests',
};

/** What a backfill would come to. */
export interface EstimateAnswer {
  /** False: the listing was longer than the bound, and everything here is extrapolated from samples of it. */
  readonly isExact: boolean;
  /** Versions that were really looked at. */
  readonly seen: number;
  readonly objects: number;
  readonly bytes: number;
  readonly alreadyDone: number;
  readonly toScan: number;
  readonly bytesToScan: number;
  readonly expectedSeconds: number;
  readonly throughput: { readonly objectsPerSecond: number; readonly basis: 'measured' | 'assumed' };
  /** As S3 counts them; get reads bytes: the type, then everything once. */
  readonly requests: Readonly<Record<'list' | 'get' | 'head' | 'getTags' | 'putTags', number>>;
  readonly cost: number;
  readonly prices: { readonly currency: string };
}

/** A backfill, rescan or reconciliation. Times are ISO 8601; what is not known is null. */
export interface RunAnswer {
  readonly id: string;
  readonly kind: RunKind;
  readonly state: RunState;
  readonly endpointId: string | null;
  readonly bucket: string | null;
  readonly prefix: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly requestedBy: string;
  /** `request`, `schedule …`, or what changed, as `clamd 27834`. */
  readonly cause: string;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly listedAt: string | null;
  readonly endedAt: string | null;
  /** Objects that need nothing more, of how many, and how long the rest takes. */
  readonly progress: {
    readonly done: number;
    readonly total: number | null;
    readonly secondsToGo: number | null;
    readonly objectsPerSecond: number | null;
  };
  readonly counts: RunCounts;
  /** Of the scans of this run that have ended. */
  readonly verdicts: Readonly<Record<string, number>>;
  readonly estimate: EstimateAnswer | null;
  /** Why it does not get on, or why it failed. */
  readonly error: string | null;
  readonly retryAt: string | null;
}
