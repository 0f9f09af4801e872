import type { Instant } from '../../../../clock.js';
import type { Queryable } from '../../../../database/queryable.js';

/** A turn that was reserved, or when to ask again: then nothing was. */
export type Turn =
  { readonly kind: 'turn'; readonly at: Instant } | { readonly kind: 'far'; readonly at: Instant };

/** Reserves the next moment at which something may be sent, for all nodes together, if it lies within the horizon. */
export async function reservePace(
  db: Queryable,
  args: { name: string; now: Instant; intervalMs: number; horizonMs: number },
): Promise<Turn> {
  const [row] = await db.query<{ next_at: string }>(
    `INSERT INTO slack_pace AS p (name, next_at) VALUES ($1, $2::bigint + $3::bigint)
     ON CONFLICT (name) DO UPDATE SET next_at = greatest(p.next_at, $2::bigint) + $3::bigint
     WHERE p.next_at <= $2::bigint + $4::bigint
     RETURNING next_at`,
    [args.name, args.now, args.intervalMs, args.horizonMs],
  );
  if (row !== undefined) return { kind: 'turn', at: Number(row.next_at) - args.intervalMs };
  const [held] = await db.query<{ next_at: string }>('SELECT next_at FROM slack_pace WHERE name = $1', [
    args.name,
  ]);
  return { kind: 'far', at: Number(held?.next_at ?? args.now) };
}

/** Slack asked to wait: nothing more goes that way before then, from whichever node. */
export const holdPace = (db: Queryable, name: string, until: Instant): Promise<unknown> =>
  db.query(
    `INSERT INTO slack_pace AS p (name, next_at) VALUES ($1, $2)
     ON CONFLICT (name) DO UPDATE SET next_at = greatest(p.next_at, excluded.next_at)`,
    [name, until],
  );
