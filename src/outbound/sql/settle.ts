import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';

/** How an attempt left its row. */
export type Settlement = {
  readonly id: string;
  readonly owner: string;
  readonly attempt: number;
  readonly now: Instant;
  /** What is known of the answer; null keeps what was known before. */
  readonly receipt: Readonly<Record<string, unknown>> | null;
} & (
  | { readonly state: 'sent' }
  | { readonly state: 'failed'; readonly reason: string }
  | {
      readonly state: 'pending' | 'ambiguous';
      readonly reason: string;
      readonly dueAt: Instant;
      /** It was not tried: the count goes back by one. */
      readonly isNoAttempt?: boolean | undefined;
    }
);

/** Ends an attempt. Changes nothing when the lease ran out and somebody else took the message over; says so by false. */
export async function settle(db: Queryable, s: Settlement): Promise<boolean> {
  const ended = s.state === 'sent' || s.state === 'failed';
  const rows = await db.query(
    `UPDATE outbox SET state = $4, lease_owner = NULL, due_at = $5, reason = $6, receipt = coalesce($7::json, receipt),
                       ambiguous = ambiguous OR $4 = 'ambiguous', ended_at = $8,
                       attempt = attempt - CASE WHEN $9 THEN 1 ELSE 0 END
     WHERE id = $1 AND lease_owner = $2 AND attempt = $3 AND state = 'sending'
     RETURNING id`,
    [
      s.id,
      s.owner,
      s.attempt,
      s.state,
      ended ? s.now : s.dueAt,
      s.state === 'sent' ? null : s.reason.slice(0, 1000),
      s.receipt === null ? null : JSON.stringify(s.receipt),
      ended ? s.now : null,
      !ended && s.isNoAttempt === true,
    ],
  );
  return rows.length === 1;
}
