import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';
import type { HeldFiring } from './claim-firings.js';

export interface EndedFiring extends HeldFiring {
  /** `waiting`: tried again at `lookAt`. */
  readonly state: 'waiting' | 'done' | 'failed';
  readonly lookAt: Instant;
  readonly error: string | undefined;
  readonly now: Instant;
}

/** Writes how an attempt ended, with its schedule; nothing when somebody else holds the firing by now. */
export const endFiring = (db: Queryable, ended: EndedFiring): Promise<unknown> =>
  db.query(
    `WITH firing AS (
       UPDATE schedule_firing SET state = $4, look_at = $5, error = $6,
              ended_at = CASE WHEN $4 = 'waiting' THEN NULL ELSE $7::bigint END
        WHERE schedule_id = $1 AND due_at = $2 AND attempts = $3 AND state = 'running'
       RETURNING due_at)
     UPDATE schedule SET last_fire_at = firing.due_at, last_error = $6,
            last_outcome = CASE WHEN $4 = 'waiting' THEN 'retrying' ELSE $4 END
       FROM firing WHERE schedule.id = $1`,
    [ended.scheduleId, ended.dueAt, ended.attempt, ended.state, ended.lookAt, ended.error ?? null, ended.now],
  );

/** Keeps the newest `keep` of a schedule's firings that are over. */
export const pruneFirings = (db: Queryable, scheduleId: string, keep: number): Promise<unknown> =>
  db.query(
    `DELETE FROM schedule_firing
      WHERE schedule_id = $1 AND state NOT IN ('waiting', 'running')
        AND due_at < (SELECT due_at FROM schedule_firing WHERE schedule_id = $1
                       ORDER BY due_at DESC OFFSET $2 LIMIT 1)`,
    [scheduleId, keep],
  );
