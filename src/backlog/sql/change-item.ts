import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';

/** Where an item is; it stays there to the end of the transaction. */
export type Held = 'waiting' | 'dead' | undefined;

/**
 * Holds an item, so that nobody starts it meanwhile. Waits for a dispatcher that is starting it now, no longer than
 * `patienceMs`: then PostgreSQL says 55P03.
 */
export async function holdItem(tx: Queryable, scanId: string, patienceMs: number): Promise<Held> {
  await tx.query(`SELECT set_config('lock_timeout', $1, true)`, [`${patienceMs}ms`]);
  const waiting = await tx.query('SELECT FROM backlog_item WHERE scan_id = $1 FOR UPDATE', [scanId]);
  if (waiting.length > 0) return 'waiting';
  const dead = await tx.query('SELECT FROM dead_letter WHERE scan_id = $1 FOR UPDATE', [scanId]);
  return dead.length > 0 ? 'dead' : undefined;
}

/** It may start now, as if it had never failed. */
export const hastenItem = (
  tx: Queryable,
  args: { readonly scanId: string; readonly priority?: number | undefined; readonly now: Instant },
): Promise<unknown> =>
  tx.query(
    `UPDATE backlog_item SET postponed = false, attempts = 0, last_error = NULL, priority = coalesce($2, priority),
            not_before = CASE WHEN decide_at IS NULL THEN $3 ELSE not_before END, decide_at = least(decide_at, $3)
      WHERE scan_id = $1`,
    [args.scanId, args.priority ?? null, args.now],
  );

/** It will not be started; the scan is over, for this reason. */
export const removeItem = (
  tx: Queryable,
  args: { readonly scanId: string; readonly at: Instant; readonly reason: string },
): Promise<unknown> =>
  tx.query(
    `WITH item AS (DELETE FROM backlog_item WHERE scan_id = $1), letter AS (DELETE FROM dead_letter WHERE scan_id = $1)
     UPDATE scan SET verdict_at = coalesce(verdict_at, $2), closed_at = coalesce(closed_at, $2), failure = $3
      WHERE id = $1`,
    [args.scanId, args.at, args.reason],
  );

/** What a scan that is neither waiting nor dead does. */
export interface ScanState {
  readonly started_at: number | null;
  readonly verdict_at: number | null;
  readonly closed_at: number | null;
  readonly workflow_name: string;
}

export async function scanState(tx: Queryable, scanId: string): Promise<ScanState | undefined> {
  const [state] = await tx.query<ScanState>(
    'SELECT started_at::float8, verdict_at::float8, closed_at::float8, workflow_name FROM scan WHERE id = $1',
    [scanId],
  );
  return state;
}
