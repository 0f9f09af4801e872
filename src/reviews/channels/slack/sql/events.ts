import type { Instant } from '../../../../clock.js';
import type { Queryable } from '../../../../database/queryable.js';

/** Whose turn an event is: ours, nobody's any more, or somebody else's just now. */
export type EventTurn = 'ours' | 'done' | 'elsewhere';

/** Takes an event, unless it was taken to its end or somebody has it just now. */
export async function holdSlackEvent(
  db: Queryable,
  args: { eventId: string; now: Instant; heldUntil: Instant; forgetAt: Instant },
): Promise<EventTurn> {
  const taken = await db.query(
    `INSERT INTO slack_event AS e (event_id, held_until, forget_at) VALUES ($1, $3, $4)
     ON CONFLICT (event_id) DO UPDATE SET held_until = excluded.held_until
     WHERE e.done_at IS NULL AND e.held_until <= $2
     RETURNING 1`,
    [args.eventId, args.now, args.heldUntil, args.forgetAt],
  );
  if (taken.length > 0) return 'ours';
  const done = await db.query('SELECT 1 FROM slack_event WHERE event_id = $1 AND done_at IS NOT NULL', [
    args.eventId,
  ]);
  return done.length > 0 ? 'done' : 'elsewhere';
}

/** It comes no more. */
export const finishSlackEvent = (db: Queryable, eventId: string, now: Instant): Promise<unknown> =>
  db.query('UPDATE slack_event SET done_at = $2 WHERE event_id = $1', [eventId, now]);

/** Nothing came of it: the next time that Slack tells it, it is anybody's. */
export const giveBackSlackEvent = (db: Queryable, eventId: string): Promise<unknown> =>
  db.query('DELETE FROM slack_event WHERE event_id = $1 AND done_at IS NULL', [eventId]);

export const forgetSlackEvents = (db: Queryable, now: Instant): Promise<unknown> =>
  db.query('DELETE FROM slack_event WHERE forget_at < $1', [now]);
