import { wholeMilliseconds } from '../../verdicts/whole-milliseconds.js';
import { paceAfter } from './progress.js';
import { added, outstanding, type Run, type Verdicts } from './run.js';
import { settleItems } from './sql/items.js';
import { changeRun, findRun, type RunChange } from './sql/runs.js';
import { tellEnd, type ListingParts } from './steps.js';

// A transaction of some tens of milliseconds; more are taken at the next look.
const AT_ONCE = 5_000;

/**
 * Counts the scans of a run that have ended since the last look, and ends the run when nothing of it is left.
 *
 * @returns how many ended.
 */
export async function settleRun(
  { database, clock }: Pick<ListingParts, 'database' | 'clock'>,
  runId: string,
): Promise<number> {
  return database.transaction(async (tx) => {
    const run = await findRun(tx, runId, { lock: true });
    if (run === undefined) return 0;
    const ended = outstanding(run) > 0 ? await settleItems(tx, { runId, limit: AT_ONCE }) : [];
    const settled = ended.reduce((sum, { count }) => sum + count, 0);
    const at = wholeMilliseconds(clock);
    const counts = added(run.counts, {
      settled,
      settledBytes: ended.reduce((sum, { bytes }) => sum + bytes, 0),
    });
    const isOver = run.state === 'running' && run.listedAt !== undefined && outstanding({ counts }) === 0;
    const change: RunChange = {
      ...(settled > 0 && { counts, verdicts: verdictsWith(run.verdicts, ended) }),
      ...paceOf(run, settled, at),
      ...(isOver && { state: 'completed' as const, endedAt: at }),
    };
    await changeRun(tx, runId, change);
    await tellEnd(tx, clock, run, change);
    return settled;
  });
}

function verdictsWith(
  verdicts: Verdicts,
  ended: readonly { readonly verdict: keyof Verdicts; readonly count: number }[],
): Verdicts {
  const sum: Partial<Record<keyof Verdicts, number>> = { ...verdicts };
  for (const { verdict, count } of ended) sum[verdict] = (sum[verdict] ?? 0) + count;
  return sum;
}

// Shorter looks would measure the clock.
const PACE_EVERY_MS = 1_000;

function paceOf(run: Run, settled: number, at: number): RunChange {
  const since = run.settledAt ?? run.startedAt ?? at;
  if (run.state !== 'running' || (settled === 0 && at - since < PACE_EVERY_MS)) return {};
  const pace = paceAfter(run.pace, settled, at - since);
  return { settledAt: at, ...(pace !== undefined && { pace }) };
}
