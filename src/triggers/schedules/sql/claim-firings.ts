import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';
import type { JsonObject } from '../../../engine/model/json.js';

export interface ClaimedFiring {
  readonly schedule_id: string;
  readonly name: string;
  readonly kind: string;
  readonly payload: JsonObject;
  readonly due_at: Instant;
  readonly attempts: number;
}

/**
 * Takes firings whose turn has come: of each schedule only the oldest, so that its runs never overlap. One whose lease
 * ran out belonged to a process that died or hung, and is run again. What one attempt took is told by `attempts`.
 */
export const claimFirings = (
  db: Queryable,
  args: {
    readonly now: Instant;
    readonly leaseUntil: Instant;
    readonly kinds: readonly string[];
    readonly limit: number;
  },
): Promise<ClaimedFiring[]> =>
  db.query<ClaimedFiring>(
    `WITH turn AS (
       SELECT f.schedule_id, f.due_at FROM schedule_firing f
        WHERE f.state IN ('waiting', 'running') AND f.look_at <= $1 AND f.kind = ANY($3)
          AND NOT EXISTS (SELECT 1 FROM schedule_firing e
                           WHERE e.schedule_id = f.schedule_id AND e.due_at < f.due_at
                             AND e.state IN ('waiting', 'running'))
        ORDER BY f.look_at LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED)
     UPDATE schedule_firing f
        SET state = 'running', attempts = f.attempts + 1, look_at = $2, started_at = coalesce(f.started_at, $1)
       FROM turn, schedule s
      WHERE f.schedule_id = turn.schedule_id AND f.due_at = turn.due_at AND s.id = f.schedule_id
     RETURNING f.schedule_id, s.name, s.payload, f.kind, f.due_at::float8, f.attempts`,
    [args.now, args.leaseUntil, args.kinds, args.limit],
  );

/** What a process holds of a firing: its attempt. */
export interface HeldFiring {
  readonly scheduleId: string;
  readonly dueAt: Instant;
  readonly attempt: number;
}

/** @returns false when somebody else has it by now, or its schedule is gone. */
export async function extendLease(db: Queryable, held: HeldFiring, until: Instant): Promise<boolean> {
  const rows = await db.query(
    `UPDATE schedule_firing SET look_at = $4
      WHERE schedule_id = $1 AND due_at = $2 AND attempts = $3 AND state = 'running' RETURNING due_at`,
    [held.scheduleId, held.dueAt, held.attempt, until],
  );
  return rows.length > 0;
}
