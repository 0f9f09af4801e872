import { setTimeout as delay } from 'node:timers/promises';
import type { Queryable } from '../database/queryable.js';

const LOOK_EVERY_MS = 200;
const PATIENCE_MS = 120_000;

/**
 * Waits for what a first start uploaded, and says in one line what came of it and when the first verdict was there.
 *
 * @param secondsSince tells how long ago the start began.
 * @returns undefined when it takes longer than two minutes or the signal aborts; the web UI then tells.
 */
export async function sampleVerdicts(
  db: Queryable,
  seeded: number,
  secondsSince: () => number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const deadline = performance.now() + PATIENCE_MS;
  let firstAfter: number | undefined;
  while (!signal.aborted && performance.now() < deadline) {
    const rows = await db.query<{ verdict: string; count: number }>(
      `SELECT verdict, count(*)::int AS count FROM object_version
       WHERE folded_into IS NULL AND verdict <> 'pending' GROUP BY verdict ORDER BY verdict`,
    );
    const judged = rows.reduce((sum, { count }) => sum + count, 0);
    if (judged > 0) firstAfter ??= secondsSince();
    if (judged >= seeded) {
      const counts = rows.map(({ verdict, count }) => `${count} ${verdict}`).join(', ');
      return `The samples are scanned: ${counts}. First verdict ${firstAfter?.toFixed(1)} s after the start.`;
    }
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}
