import type { Queryable } from '../../../database/queryable.js';

export interface TimerParameters {
  readonly workflow_id: string;
  readonly due_at: number;
  /** False: only to an earlier time. */
  readonly exactly: boolean;
}

// A timer that is claimed lies in the past, so `earlier` leaves it to the wake that is on its way.
const UPSERT = `
  INSERT INTO workflow_timer AS timer (workflow_id, due_at)
  SELECT workflow_id, due_at FROM json_to_recordset($1::json) AS new (workflow_id text, due_at bigint)
  ON CONFLICT (workflow_id) DO UPDATE SET due_at = excluded.due_at, claimed_by = NULL`;

const SET = UPSERT;
const MOVE_EARLIER = `${UPSERT} WHERE excluded.due_at < timer.due_at`;

/** Deadlines of workflows that this transaction has locked. */
export async function writeTimers(tx: Queryable, rows: readonly TimerParameters[]): Promise<void> {
  const exact = rows.filter(({ exactly }) => exactly);
  const earlier = rows.filter(({ exactly }) => !exactly);
  await Promise.all([
    exact.length > 0 && tx.query(SET, [JSON.stringify(exact)]),
    earlier.length > 0 && tx.query(MOVE_EARLIER, [JSON.stringify(earlier)]),
  ]);
}

/** Workflows that have nothing more to wait for. */
export const clearTimers = (tx: Queryable, workflowIds: readonly string[]): Promise<unknown> =>
  tx.query('DELETE FROM workflow_timer WHERE workflow_id = ANY ($1)', [workflowIds]);
