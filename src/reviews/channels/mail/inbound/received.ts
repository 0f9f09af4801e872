import type { Queryable } from '../../../../database/queryable.js';
import type { Instant } from '../../../../clock.js';

/** Mails that are taken in answer to one of ours. */
export const MOST_RECEIVED = 20;

/** How many came in answer to this mail so far. */
export async function receivedCount(db: Queryable, handle: string): Promise<number> {
  const [row] = await db.query<{ n: string }>('SELECT count(*) AS n FROM mail_received WHERE link_id = $1', [
    handle,
  ]);
  return Number(row?.n ?? 0);
}

/** Remembers a mail, in the transaction of its effect. @returns false for one that was there already. */
export async function markReceived(
  tx: Queryable,
  handle: string,
  digest: Buffer,
  now: Instant,
): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO mail_received (link_id, message_sha256, at) VALUES ($1, $2, $3)
     ON CONFLICT DO NOTHING RETURNING 1`,
    [handle, digest, now],
  );
  return rows.length > 0;
}
