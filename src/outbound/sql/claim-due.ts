import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';

export interface ClaimedRow {
  readonly id: string;
  readonly kind: string;
  readonly key: string;
  readonly order_group: string | null;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly attempt: number;
  readonly ambiguous: boolean;
  readonly created_at: string;
}

/**
 * Leases up to `limit` due messages of one kind; other nodes skip what we hold. A row whose lease ran out belonged to
 * a process that died or hung, so whether it arrived is unknown. Within a group only the oldest open message is taken.
 */
export const claimDue = (
  db: Queryable,
  args: { kind: string; owner: string; now: Instant; leaseUntil: Instant; limit: number },
): Promise<ClaimedRow[]> =>
  db.query<ClaimedRow>(
    `WITH due AS (
       SELECT o.id FROM outbox o
       WHERE o.kind = $1 AND o.state IN ('pending', 'sending', 'ambiguous') AND o.due_at <= $3
         AND (o.order_group IS NULL OR NOT EXISTS (
           SELECT 1 FROM outbox e
           WHERE e.order_group = o.order_group AND e.id < o.id
             AND e.state IN ('pending', 'sending', 'ambiguous')))
       ORDER BY o.due_at, o.id LIMIT $5 FOR UPDATE SKIP LOCKED
     )
     UPDATE outbox SET state = 'sending', lease_owner = $2, due_at = $4, attempt = attempt + 1,
                       ambiguous = ambiguous OR state <> 'pending'
     FROM due WHERE outbox.id = due.id
     RETURNING outbox.id, kind, key, order_group, payload, attempt, ambiguous,
               created_at`,
    [args.kind, args.owner, args.now, args.leaseUntil, args.limit],
  );
