import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { QueueFigures } from './queue-figures.js';

export const HOUR_MS = 3_600_000;

/** Takes an hour to be measured. @returns false when another node did it, or does. */
export async function takeHour(tx: Queryable, from: Instant, now: Instant): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO review_hour (from_at, measured_at) VALUES ($1, $2) ON CONFLICT (from_at) DO NOTHING RETURNING from_at`,
    [from, now],
  );
  return rows.length === 1;
}

export const insertFigures = (
  tx: Queryable,
  from: Instant,
  figures: readonly QueueFigures[],
): Promise<unknown> =>
  tx.query(
    `INSERT INTO review_queue_hour (queue, from_at, figures)
     SELECT f->>'queue', $1, f FROM json_array_elements($2::json) f`,
    [from, JSON.stringify(figures)],
  );

/** Removes hours that began before this, some at a time. */
export const purgeHours = (db: Queryable, before: Instant, limit: number): Promise<unknown> =>
  db.query(
    `DELETE FROM review_hour WHERE from_at IN (
       SELECT from_at FROM review_hour WHERE from_at < $1 ORDER BY from_at LIMIT $2)`,
    [before, limit],
  );

/** An hour that was measured; without figures, nothing was in the queue and nothing happened. */
export interface MeasuredHour {
  readonly from: Instant;
  readonly measuredAt: Instant;
  readonly figures: QueueFigures | null;
}

/** The measured hours of one queue that begin in [from, to), the oldest first. */
export const measuredHours = (
  db: Queryable,
  asked: { queue: string; from: Instant; to: Instant; limit: number },
): Promise<MeasuredHour[]> =>
  db.query<MeasuredHour>(
    `SELECT h.from_at::float8 AS "from", h.measured_at::float8 AS "measuredAt", q.figures
       FROM review_hour h LEFT JOIN review_queue_hour q ON q.from_at = h.from_at AND q.queue = $1
      WHERE h.from_at >= $2 AND h.from_at < $3 ORDER BY h.from_at LIMIT $4`,
    [asked.queue, asked.from, asked.to, asked.limit],
  );

/** When the first hour began that was measured and is kept. */
export async function firstHour(db: Queryable): Promise<Instant | undefined> {
  const [row] = await db.query<{ at: number | null }>(`SELECT min(from_at)::float8 AS at FROM review_hour`);
  return row?.at ?? undefined;
}
