import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';

export interface FiringRow {
  readonly due_at: Instant;
  readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'missed';
  readonly requested_by: string | null;
  readonly attempts: number;
  readonly look_at: Instant;
  readonly started_at: Instant | null;
  readonly ended_at: Instant | null;
  readonly missed_until: Instant | null;
  readonly error: string | null;
}

/** A schedule's firings, newest first. */
export const listFirings = (db: Queryable, scheduleId: string, limit: number): Promise<FiringRow[]> =>
  db.query<FiringRow>(
    `SELECT due_at::float8, state, requested_by, attempts, look_at::float8, started_at::float8, ended_at::float8,
            missed_until::float8, error
       FROM schedule_firing WHERE schedule_id = $1 ORDER BY due_at DESC LIMIT $2`,
    [scheduleId, limit],
  );

/** A firing that somebody asked for: due now, and before those that wait to be tried again. @returns when it is due. */
export async function insertRequested(
  tx: Queryable,
  args: {
    readonly scheduleId: string;
    readonly kind: string;
    readonly requestedBy: string;
    readonly now: Instant;
  },
): Promise<Instant> {
  await tx.query(
    `UPDATE schedule_firing SET look_at = least(look_at, $2) WHERE schedule_id = $1 AND state = 'waiting'`,
    [args.scheduleId, args.now],
  );
  // A millisecond later than another one that is there.
  const [row] = await tx.query<{ due_at: number }>(
    `INSERT INTO schedule_firing (schedule_id, due_at, kind, state, look_at, requested_by)
     SELECT $1, greatest($2, 1 + coalesce(max(due_at), 0)), $3, 'waiting', $2, $4
       FROM schedule_firing WHERE schedule_id = $1 AND due_at >= $2
     RETURNING due_at::float8`,
    [args.scheduleId, args.now, args.kind, args.requestedBy],
  );
  if (row === undefined) throw new Error('an insert without a condition inserted nothing');
  return row.due_at;
}

/** How many of a schedule's firings wait or run. */
export async function countOpen(db: Queryable, scheduleId: string): Promise<number> {
  const [row] = await db.query<{ open: number }>(
    `SELECT count(*)::int AS open FROM schedule_firing WHERE schedule_id = $1 AND state IN ('waiting', 'running')`,
    [scheduleId],
  );
  return row?.open ?? 0;
}
