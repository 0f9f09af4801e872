import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';
import type { CatchUp } from '../catch-up.js';

export interface DueSchedule {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly cron: string;
  readonly time_zone: string;
  readonly catch_up: CatchUp;
  readonly catch_up_within_seconds: number;
  readonly next_fire_at: Instant;
  /** Its firings that wait or run. */
  readonly open: number;
}

/** Locks the schedules that are due, the longest due first; other nodes pass over what we hold. */
export const lockDue = (
  tx: Queryable,
  args: { readonly now: Instant; readonly kinds: readonly string[]; readonly limit: number },
): Promise<DueSchedule[]> =>
  tx.query<DueSchedule>(
    `SELECT s.id, s.name, s.kind, s.cron, s.time_zone, s.catch_up, s.catch_up_within_seconds,
            s.next_fire_at::float8,
            (SELECT count(*)::int FROM schedule_firing f
              WHERE f.schedule_id = s.id AND f.state IN ('waiting', 'running')) AS open
       FROM schedule s
      WHERE s.enabled AND s.next_fire_at <= $1 AND s.kind = ANY($2)
      ORDER BY s.next_fire_at LIMIT $3 FOR NO KEY UPDATE OF s SKIP LOCKED`,
    [args.now, args.kinds, args.limit],
  );

export interface Planned {
  readonly id: string;
  readonly kind: string;
  readonly fire: readonly Instant[];
  readonly missed: { readonly from: Instant; readonly until: Instant } | undefined;
  readonly nextFireAt: Instant | undefined;
  readonly now: Instant;
}

/** Makes the plan's rows and moves the schedule on; the caller holds its lock. A due instant that has a row keeps it. */
export async function storePlan(tx: Queryable, plan: Planned): Promise<void> {
  const { id, kind, fire, missed, nextFireAt, now } = plan;
  if (fire.length > 0) {
    await tx.query(
      `INSERT INTO schedule_firing (schedule_id, due_at, kind, state, look_at)
       SELECT $1, due, $3, 'waiting', due FROM unnest($2::bigint[]) AS due
       ON CONFLICT DO NOTHING`,
      [id, fire, kind],
    );
  }
  if (missed !== undefined) {
    await tx.query(
      `INSERT INTO schedule_firing (schedule_id, due_at, kind, state, look_at, ended_at, missed_until)
       VALUES ($1, $2, $3, 'missed', $2, $4, $5) ON CONFLICT DO NOTHING`,
      [id, missed.from, kind, now, missed.until],
    );
  }
  await tx.query(
    `UPDATE schedule SET next_fire_at = $2,
            last_outcome = CASE WHEN $3 THEN 'missed' ELSE last_outcome END,
            last_error = CASE WHEN $3 THEN $4 ELSE last_error END
      WHERE id = $1`,
    [
      id,
      nextFireAt ?? null,
      missed !== undefined && fire.length === 0,
      'nobody was there when it was due, and its catch-up says that this is not made up for',
    ],
  );
}
