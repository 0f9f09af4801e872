/* Backfills, rescans and reconciliations, as the server says them. Times are ISO 8601; what is not known is null. */

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

export interface Estimate {
  readonly isExact: boolean;
  readonly objects: number;
  readonly bytes: number;
  readonly alreadyDone: number;
  readonly toScan: number;
  readonly bytesToScan: number;
  readonly expectedSeconds: number;
  readonly throughput: { readonly objectsPerSecond: number; readonly basis: 'measured' | 'assumed' };
  readonly requests: Readonly<Record<'list' | 'get' | 'head' | 'getTags' | 'putTags', number>>;
  readonly cost: number;
  readonly prices: { readonly currency: string };
}

export interface Run {
  readonly id: string;
  readonly kind: RunKind;
  readonly state: RunState;
  readonly endpointId: string | null;
  readonly bucket: string | null;
  readonly prefix: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly requestedBy: string;
  readonly cause: string;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly listedAt: string | null;
  readonly endedAt: string | null;
  readonly progress: {
    readonly done: number;
    readonly total: number | null;
    readonly secondsToGo: number | null;
    readonly objectsPerSecond: number | null;
  };
  readonly counts: Readonly<Record<string, number>>;
  readonly verdicts: Readonly<Record<string, number>>;
  readonly estimate: Estimate | null;
  readonly error: string | null;
  readonly retryAt: string | null;
}

export const backfillPath = (id: string): string => `/backfills/${encodeURIComponent(id)}`;

/** Nothing becomes of it any more. */
export const hasEnded = ({ state }: Pick<Run, 'state'>): boolean =>
  state === 'completed' || state === 'cancelled' || state === 'failed';
