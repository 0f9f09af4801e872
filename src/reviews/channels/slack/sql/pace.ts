import type { Instant } from '../../../../clock.js';
import type { Queryable } from '../../../../database/queryable.js';

/**
 * Reserves the next moment at which something may be sent, for all nodes together. @returns that moment, or
 * `undefined` when it is further away than the horizon; then nothing is reserved.
 */
export async function reservePace(
  db: Queryable,
  args: { name: string; now: Instant; intervalMs: number; horizonMs: number },
): Promise<Instant | undefined> {
  const [row] = await db.query<{ next_at: string }>(
    `INSERT INTO slack_pace AS p (name, next_at) VALUES ($1, $2::bigint + $3::bigint)
     ON CONFLICT (name) DO UPDATE SET next_at = greatest(p.next_at, $2::bigint) + $3::bigint
     WHERE p.next_at <= $2::bigint + $4::bigint
     RETURNING next_at`,
    [args.name, args.now, args.intervalMs, args.horizonMs],
  );
  return row && Number(row.next_at) - args.intervalMs;
}
