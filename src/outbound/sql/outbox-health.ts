import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';

/** What waits and what was given up, by kind. */
export interface OutboxKindHealth {
  readonly kind: string;
  readonly waiting: number;
  readonly oldestWaitingSeconds: number;
  /** Waiting ones that did not arrive several times in a row. */
  readonly stuck: number;
  readonly failed: number;
  /** Why the last one of this kind did not arrive. */
  readonly lastReason?: string | undefined;
}

interface Row {
  readonly kind: string;
  readonly waiting: string;
  readonly oldest: string | null;
  readonly stuck: string;
  readonly failed: string;
  readonly last_reason: string | null;
}

// Counts stop here; beyond it the exact number helps nobody and would cost a scan.
const COUNT_LIMIT = 10_000;
// Once is bad luck or a pace to keep; the third time somebody should know.
const STUCK_AFTER_ATTEMPTS = 3;

/** State of the outbox for /health: kinds with nothing waiting and nothing failed are left out. */
export async function outboxHealth(db: Queryable, now: Instant): Promise<OutboxKindHealth[]> {
  const rows = await db.query<Row>(
    `WITH open AS (
       -- What is meant for later waits from then on.
       SELECT kind, state, attempt, CASE WHEN attempt = 0 THEN greatest(created_at, due_at) ELSE created_at END AS created_at,
              reason, id FROM outbox
       WHERE state IN ('pending', 'sending', 'ambiguous') AND (attempt > 0 OR due_at <= $3) LIMIT $1
     ), lost AS (
       SELECT kind, state, attempt, created_at, reason, id FROM outbox WHERE state = 'failed' LIMIT $1
     )
     SELECT kind, count(*) FILTER (WHERE state <> 'failed') AS waiting,
            min(created_at) FILTER (WHERE state <> 'failed') AS oldest,
            count(*) FILTER (WHERE state <> 'failed' AND attempt >= $2) AS stuck,
            count(*) FILTER (WHERE state = 'failed') AS failed,
            (array_agg(reason ORDER BY id DESC) FILTER (WHERE reason IS NOT NULL))[1] AS last_reason
     FROM (SELECT * FROM open UNION ALL SELECT * FROM lost) AS both_sides
     GROUP BY kind ORDER BY kind`,
    [COUNT_LIMIT, STUCK_AFTER_ATTEMPTS, now],
  );
  return rows.map((row) => ({
    kind: row.kind,
    waiting: Number(row.waiting),
    oldestWaitingSeconds: row.oldest === null ? 0 : Math.max(0, (now - Number(row.oldest)) / 1000),
    stuck: Number(row.stuck),
    failed: Number(row.failed),
    ...(row.last_reason === null ? {} : { lastReason: row.last_reason }),
  }));
}
