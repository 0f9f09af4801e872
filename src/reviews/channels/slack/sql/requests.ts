import type { Instant } from '../../../../clock.js';
import type { Queryable } from '../../../../database/queryable.js';

/** A request by its signature, and until when it is remembered. */
export interface SeenRequest {
  readonly signatureSha256: Buffer;
  readonly forgetAt: Instant;
}

/** Remembers requests, each of another signature. @returns those that were not taken before, as hexadecimal text. */
export async function takeSlackRequests(
  db: Queryable,
  requests: readonly SeenRequest[],
): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ taken: string }>(
    `INSERT INTO slack_request (signature_sha256, forget_at)
     SELECT * FROM unnest($1::bytea[], $2::bigint[]) AS r (signature, forget_at) ORDER BY r.signature
     ON CONFLICT (signature_sha256) DO NOTHING RETURNING encode(signature_sha256, 'hex') AS taken`,
    [requests.map(({ signatureSha256 }) => signatureSha256), requests.map(({ forgetAt }) => forgetAt)],
  );
  return new Set(rows.map(({ taken }) => taken));
}

/** Lets a request be taken again: nothing came of it. */
export const giveBackSlackRequest = (db: Queryable, signatureSha256: Buffer): Promise<unknown> =>
  db.query('DELETE FROM slack_request WHERE signature_sha256 = $1', [signatureSha256]);

/** Those that are older than what a timestamp may be are refused for that. */
export const forgetSlackRequests = (db: Queryable, now: Instant): Promise<unknown> =>
  db.query('DELETE FROM slack_request WHERE forget_at < $1', [now]);
