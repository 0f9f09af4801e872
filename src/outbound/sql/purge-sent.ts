import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';

const KEEP_DAYS = 30;
const BATCH = 5000;

/** Removes what was delivered long ago. What was given up stays until somebody looked at it, but see {@link purgeFailed}. */
export const purgeSent = (db: Queryable, now: Instant): Promise<unknown> =>
  db.query(
    `DELETE FROM outbox WHERE id IN (
       SELECT id FROM outbox WHERE state = 'sent' AND ended_at < $1 ORDER BY ended_at LIMIT $2)`,
    [now - KEEP_DAYS * 86_400_000, BATCH],
  );

/** Removes what was given up long ago, of a kind that nobody looks at for longer. */
export const purgeFailed = (db: Queryable, kind: string, before: Instant): Promise<unknown> =>
  db.query(
    `DELETE FROM outbox WHERE id IN (
       SELECT id FROM outbox WHERE kind = $1 AND state = 'failed' AND ended_at < $2 ORDER BY ended_at LIMIT $3)`,
    [kind, before, BATCH],
  );
