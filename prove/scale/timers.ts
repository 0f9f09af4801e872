import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../test/support/eventually.js';
import type { ServiceProcess } from '../../test/support/service-process.js';
import type { Scratch } from './cluster.js';
import { TIMERS } from './definitions.js';
import { startMany } from './start-many.js';

const FIRED_WITHIN_MS = 120_000;

export interface Lateness {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
  /** Of the first that ended; below zero it would have fired too early. */
  readonly min: number;
  /** Between the first and the last that was due, the hundredth at either end left out. */
  readonly dueWithin: number;
  readonly completed: number;
}

/**
 * Starts so many timers that are due within one second, `leadMs` from now, and says how late each fired.
 *
 * @param before done once they are started: what is in the process's memory by then may go.
 */
export async function fireTimers(
  service: ServiceProcess,
  database: Scratch,
  count: number,
  leadMs: number,
  before: () => Promise<void>,
): Promise<Lateness> {
  const from = Date.now() + leadMs;
  const began = Date.now();
  await startMany(service, count, (n) => ({
    name: TIMERS,
    correlationId: `timers-${began}`,
    // Whole seconds from the start: so they are due as spread over the second as their starts are over theirs.
    input: { n, seconds: Math.ceil((from - Date.now()) / 1_000) },
  }));
  await before();
  const left = from - Date.now();
  if (left < 0) throw new Error(`The timers were due ${-left} ms before all of them were there`);
  // Nobody asks anything while they fire.
  await delay(left + 2_500);
  await eventually(
    async () => {
      await delay(500);
      const { open } = await database.one<{ open: number }>(
        `SELECT count(*)::int AS open FROM workflow WHERE correlation_id = $1 AND ended_at IS NULL`,
        [`timers-${began}`],
      );
      return open === 0;
    },
    { timeoutMs: FIRED_WITHIN_MS, what: 'every timer fired' },
  );
  return await database.one<Lateness & Record<string, unknown>>(
    `WITH fired AS (
       SELECT t.due_at, w.ended_at - t.due_at AS late, w.status
       FROM workflow w JOIN task t ON t.workflow_id = w.id WHERE w.correlation_id = $1
     )
     SELECT min(late)::int, max(late)::int,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY late)::int AS p50,
       percentile_disc(0.95) WITHIN GROUP (ORDER BY late)::int AS p95,
       (percentile_disc(0.99) WITHIN GROUP (ORDER BY due_at)
         - percentile_disc(0.01) WITHIN GROUP (ORDER BY due_at))::int AS "dueWithin",
       (count(*) FILTER (WHERE status = 'COMPLETED'))::int AS completed
     FROM fired`,
    [`timers-${began}`],
  );
}
