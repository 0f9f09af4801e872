import type { Run } from './run.js';

// A pace of the last minute: what was an hour ago says little, one burst less.
const PACE_MS = 60_000;

/** Objects a second after `done` more in `elapsedMs`: an average in which the past fades. */
export function paceAfter(pace: number | undefined, done: number, elapsedMs: number): number | undefined {
  if (elapsedMs <= 0) return pace;
  const now = (done * 1000) / elapsedMs;
  if (pace === undefined) return done === 0 ? undefined : now;
  const weight = Math.exp(-elapsedMs / PACE_MS);
  return pace * weight + now * (1 - weight);
}

/** How far a run is, for people. */
export interface RunProgress {
  /** Objects that need nothing more: known before, skipped, or with their verdict. */
  readonly done: number;
  /** Objects of the whole run; while it still lists, as the estimate says, and absent without one and before it begins. */
  readonly total: number | undefined;
  readonly secondsToGo: number | undefined;
}

type Measured = Pick<Run, 'state' | 'counts' | 'pace' | 'startedAt' | 'listedAt' | 'estimate'>;

export function progressOf({ state, counts, pace, startedAt, listedAt, estimate }: Measured): RunProgress {
  const done = counts.known + counts.skipped + counts.settled;
  const seen = counts.known + counts.skipped + counts.enqueued;
  const expected = startedAt === undefined ? undefined : estimate;
  const total = listedAt !== undefined ? seen : expected && Math.max(expected.objects, seen);
  const isMoving = state === 'running' && pace !== undefined && pace > 0 && total !== undefined;
  return {
    done,
    total,
    secondsToGo: isMoving
      ? Math.ceil(Math.max(0, toGo(total, { counts, estimate, listedAt })) / pace)
      : undefined,
  };
}

/** What is still to be scanned; what the ledger knows already takes no time. */
function toGo(total: number, run: Pick<Measured, 'counts' | 'estimate' | 'listedAt'>): number {
  const { counts, estimate, listedAt } = run;
  if (listedAt !== undefined || estimate === undefined) return counts.enqueued - counts.settled;
  return Math.min(total, Math.max(estimate.toScan, counts.enqueued)) - counts.settled;
}
