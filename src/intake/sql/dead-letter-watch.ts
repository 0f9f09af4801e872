import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';

/** What was last seen of an event queue. */
export interface WatchedQueue {
  readonly queue: string;
  readonly checked_at: number;
  /** In the queue itself; null where that could not be asked. */
  readonly waiting: number | null;
  /** Name of its dead-letter queue; null where it has none. */
  readonly dead_letter_name: string | null;
  readonly depth: number;
  readonly told_depth: number;
  readonly problem: string | null;
  readonly remedy: string | null;
}

const COLUMNS = `queue, checked_at::float8, waiting::float8, dead_letter_name, depth::float8, told_depth::float8,
  problem, remedy`;

/** Takes the turn to look at a queue, for one node: nobody has looked since. @returns whether it is ours. */
export async function claimLook(
  db: Queryable,
  queue: string,
  { now, since }: { readonly now: Instant; readonly since: Instant },
): Promise<boolean> {
  const rows = await db.query(
    `INSERT INTO dead_letter_watch AS w (queue, checked_at) VALUES ($1, $2)
     ON CONFLICT (queue) DO UPDATE SET checked_at = $2 WHERE w.checked_at <= $3 RETURNING queue`,
    [queue, now, since],
  );
  return rows.length > 0;
}

/** The row, which stays ours to the end of the transaction. */
export async function lockWatched(tx: Queryable, queue: string): Promise<WatchedQueue | undefined> {
  const [row] = await tx.query<WatchedQueue>(
    `SELECT ${COLUMNS} FROM dead_letter_watch WHERE queue = $1 FOR UPDATE`,
    [queue],
  );
  return row;
}

export const writeWatched = (tx: Queryable, seen: Omit<WatchedQueue, 'checked_at'>): Promise<unknown> =>
  tx.query(
    `UPDATE dead_letter_watch
        SET waiting = $2, dead_letter_name = $3, depth = $4, told_depth = $5, problem = $6, remedy = $7
      WHERE queue = $1`,
    [
      seen.queue,
      seen.waiting,
      seen.dead_letter_name,
      seen.depth,
      seen.told_depth,
      seen.problem?.slice(0, 500) ?? null,
      seen.remedy?.slice(0, 500) ?? null,
    ],
  );

export const watchedQueues = (db: Queryable, queues: readonly string[]): Promise<WatchedQueue[]> =>
  db.query(`SELECT ${COLUMNS} FROM dead_letter_watch WHERE queue = ANY ($1)`, [queues]);
