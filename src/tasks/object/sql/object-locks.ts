import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';

/** Takes a lock that nobody else holds, or whose holder died. @returns whether it is ours. */
export async function takeObjectLock(
  db: Queryable,
  lock: { readonly key: string; readonly holder: string; readonly now: Instant; readonly expiresAt: Instant },
): Promise<boolean> {
  const taken = await db.query(
    `INSERT INTO object_lock (key, holder, expires_at) VALUES ($1, $2, $3)
     ON CONFLICT (key) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
       WHERE object_lock.expires_at <= $4 OR object_lock.holder = excluded.holder
     RETURNING key`,
    [lock.key, lock.holder, Math.round(lock.expiresAt), Math.round(lock.now)],
  );
  return taken.length > 0;
}

export async function freeObjectLock(db: Queryable, key: string, holder: string): Promise<void> {
  await db.query(`DELETE FROM object_lock WHERE key = $1 AND holder = $2`, [key, holder]);
}

/** What dead holders left and nobody asked for since. */
export async function dropExpiredLocks(db: Queryable, before: Instant): Promise<void> {
  await db.query(`DELETE FROM object_lock WHERE expires_at < $1`, [Math.round(before)]);
}
