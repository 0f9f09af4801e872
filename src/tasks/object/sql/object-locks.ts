import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';

export interface LockTaking {
  readonly key: string;
  readonly holder: string;
  readonly now: Instant;
  readonly expiresAt: Instant;
}

/** Takes locks that nobody else holds, or whose holder died; no key is named twice. @returns the keys that are ours. */
export async function takeObjectLocks(
  db: Queryable,
  takings: readonly LockTaking[],
): Promise<ReadonlySet<string>> {
  const taken = await db.query<{ key: string }>(
    `INSERT INTO object_lock AS held (key, holder, expires_at)
     SELECT key, holder, expires_at
       FROM json_to_recordset($1::json) AS l (key text, holder text, expires_at bigint)
      ORDER BY key
     ON CONFLICT (key) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
       WHERE held.expires_at <= $2 OR held.holder = excluded.holder
     RETURNING key`,
    [
      JSON.stringify(
        takings.map(({ key, holder, expiresAt }) => ({ key, holder, expires_at: Math.round(expiresAt) })),
      ),
      // They were asked for within milliseconds; by the earliest nobody's lock is taken too soon.
      Math.round(Math.min(...takings.map(({ now }) => now))),
    ],
  );
  return new Set(taken.map(({ key }) => key));
}

export async function freeObjectLocks(
  db: Queryable,
  held: readonly Pick<LockTaking, 'key' | 'holder'>[],
): Promise<void> {
  await db.query(
    `DELETE FROM object_lock o USING (
       SELECT l.key, l.holder FROM object_lock l
         JOIN unnest($1::text[], $2::text[]) AS h (key, holder) ON l.key = h.key AND l.holder = h.holder
        ORDER BY l.key FOR UPDATE OF l) h
      WHERE o.key = h.key AND o.holder = h.holder`,
    [held.map(({ key }) => key), held.map(({ holder }) => holder)],
  );
}

/** What dead holders left and nobody asked for since. */
export async function dropExpiredLocks(db: Queryable, before: Instant): Promise<void> {
  await db.query(`DELETE FROM object_lock WHERE expires_at < $1`, [Math.round(before)]);
}
