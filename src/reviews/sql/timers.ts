import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { Timer, TimerKind } from '../rules/schedule.js';

/** A timer of a review that is due. */
export interface DueTimer extends Timer {
  readonly reviewId: string;
}

interface TimerRow {
  readonly review_id: string;
  readonly kind: TimerKind;
  readonly step: string;
  readonly loop: number;
  readonly fire_at: string;
}

const toTimer = (row: TimerRow): DueTimer => ({
  reviewId: row.review_id,
  kind: row.kind,
  step: Number(row.step),
  loop: row.loop,
  at: Number(row.fire_at),
});

/** Sets timers; one that is there already stays as it is. */
export const insertTimers = async (
  tx: Queryable,
  reviewId: string,
  timers: readonly Timer[],
): Promise<void> => {
  if (timers.length === 0) return;
  await tx.query(
    `INSERT INTO review_timer (review_id, kind, step, loop, fire_at)
     SELECT $1, t->>'kind', (t->>'step')::bigint, (t->>'loop')::int, (t->>'at')::bigint
       FROM json_array_elements($2::json) t
     ON CONFLICT DO NOTHING`,
    [reviewId, JSON.stringify(timers)],
  );
};

/** Moves what has not fired and counts from the opening. */
export const moveTimers = (tx: Queryable, reviewId: string, byMs: number): Promise<unknown> =>
  tx.query(
    `UPDATE review_timer SET fire_at = fire_at + $2
      WHERE review_id = $1 AND fired_at IS NULL AND kind IN ('remind', 'escalate', 'expire', 'warn')`,
    [reviewId, byMs],
  );

/** Sets the moment at which it expires, and that of the warning before. */
export const setExpiry = (
  tx: Queryable,
  reviewId: string,
  { warnAt, at }: { readonly warnAt: Instant; readonly at: Instant },
): Promise<unknown> =>
  tx.query(
    `INSERT INTO review_timer (review_id, kind, step, loop, fire_at)
     VALUES ($1, 'expire', 0, 0, $2), ($1, 'warn', 0, 0, $3)
     ON CONFLICT (review_id, kind, step, loop) DO UPDATE SET fire_at = excluded.fire_at, fired_at = NULL`,
    [reviewId, at, warnAt],
  );

/** Nothing of an ended review fires any more. */
export const dropTimers = (tx: Queryable, reviewId: string): Promise<unknown> =>
  tx.query('DELETE FROM review_timer WHERE review_id = $1 AND fired_at IS NULL', [reviewId]);

/** What is due, the earliest first; not what stands still while its review waits. */
export async function dueTimers(
  db: Queryable,
  now: Instant,
  limit: number,
  kinds: readonly TimerKind[],
): Promise<DueTimer[]> {
  const rows = await db.query<TimerRow>(
    `SELECT review_id, kind, step, loop, fire_at
       FROM review_timer JOIN review ON review.id = review_id
      WHERE fired_at IS NULL AND fire_at <= $1 AND kind = ANY ($3)
        AND NOT (kind IN ('remind', 'escalate', 'expire', 'warn') AND state IN ('ON_HOLD', 'INFO_REQUESTED')
                 AND coalesce((policy->>'holdStopsClock')::boolean, false))
      ORDER BY fire_at, review_id, kind, step, loop LIMIT $2`,
    [now, limit, kinds],
  );
  return rows.map(toTimer);
}

/** Marks one as fired. @returns false when another node was first, or it was taken away or moved on meanwhile. */
export async function markFired(tx: Queryable, timer: DueTimer, now: Instant): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE review_timer SET fired_at = $5
      WHERE review_id = $1 AND kind = $2 AND step = $3 AND loop = $4 AND fired_at IS NULL AND fire_at <= $5
     RETURNING review_id`,
    [timer.reviewId, timer.kind, timer.step, timer.loop, now],
  );
  return rows.length === 1;
}
