import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';

export interface FailedTry {
  readonly scanId: string;
  readonly notBefore: Instant;
  readonly error: string;
}

/** Starts that failed are tried again later, and say why. */
export const postponeItems = (tx: Queryable, failed: readonly FailedTry[]): Promise<unknown> =>
  tx.query(
    `UPDATE backlog_item i SET attempts = i.attempts + 1, postponed = true, not_before = f.not_before, last_error = f.error
       FROM unnest($1::uuid[], $2::bigint[], $3::text[]) AS f (scan_id, not_before, error) WHERE i.scan_id = f.scan_id`,
    [
      failed.map(({ scanId }) => scanId),
      failed.map(({ notBefore }) => notBefore),
      failed.map(({ error }) => error),
    ],
  );

/**
 * What was postponed until now waits again, at most `limit` at a time; so does what the rules could not decide until now.
 *
 * @returns how many.
 */
export async function recallPostponed(
  tx: Queryable,
  args: { readonly now: Instant; readonly limit: number },
): Promise<number> {
  const rows = await tx.query(
    `UPDATE backlog_item SET postponed = false, decide_at = NULL, upload = NULL WHERE scan_id IN (
       SELECT scan_id FROM backlog_item WHERE (postponed OR decide_at IS NOT NULL) AND not_before <= $1
        ORDER BY not_before, scan_id LIMIT $2 FOR UPDATE SKIP LOCKED)
     RETURNING scan_id`,
    [args.now, args.limit],
  );
  return rows.length;
}
