import { randomUUID } from 'node:crypto';
import type { Queryable } from '../../src/database/queryable.js';

/** As if the database had been restored: held until it is released. @returns the restoration's id. */
export async function markRestored(db: Queryable, { isHeld = true } = {}): Promise<string> {
  const id = randomUUID();
  await db.query(
    `INSERT INTO restoration (id, backup_id, backup_at, restored_at, fork_seq, released_at)
     VALUES ($1, $2, 1767225600000, 1767229200000, 0, $3)`,
    [id, randomUUID(), isHeld ? null : 1_767_232_800_000],
  );
  return id;
}

export const releaseRestored = (db: Queryable): Promise<unknown> =>
  db.query('UPDATE restoration SET released_at = restored_at + 1 WHERE released_at IS NULL');
