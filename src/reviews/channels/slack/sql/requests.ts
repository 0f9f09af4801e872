import type { Instant } from '../../../../clock.js';
import type { Queryable } from '../../../../database/queryable.js';

/** Remembers a request by its signature. @returns false when it was taken before. */
export async function takeSlackRequest(
  db: Queryable,
  signatureSha256: Buffer,
  forgetAt: Instant,
): Promise<boolean> {
  const rows = await db.query(
    `INSERT INTO slack_request (signature_sha256, forget_at) VALUES ($1, $2)
     ON CONFLICT (signature_sha256) DO NOTHING RETURNING 1`,
    [signatureSha256, forgetAt],
  );
  return rows.length > 0;
}

/** Lets a request be taken again: nothing came of it. */
export const giveBackSlackRequest = (db: Queryable, signatureSha256: Buffer): Promise<unknown> =>
  db.query('DELETE FROM slack_request WHERE signature_sha256 = $1', [signatureSha256]);

/** Those that are older than what a timestamp may be are refused for that. */
export const forgetSlackRequests = (db: Queryable, now: Instant): Promise<unknown> =>
  db.query('DELETE FROM slack_request WHERE forget_at < $1', [now]);
