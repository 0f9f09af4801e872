import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';

/** Outbox kind of what is told by HTTP; its keys begin with the id of the subscription. */
export const WEBHOOK = 'webhook';

/** One delivery as the outbox has it. */
export interface StoredDelivery {
  readonly id: string;
  readonly state: 'pending' | 'sending' | 'ambiguous' | 'sent' | 'failed';
  readonly messageId: string;
  readonly type: string;
  readonly reviewId: string | null;
  readonly attempts: number;
  readonly reason: string | null;
  /** Of the last answer, if there was one. */
  readonly status: number | null;
  readonly dueAt: Instant;
  readonly createdAt: Instant;
  readonly endedAt: Instant | null;
}

const COLUMNS = `id, state, payload ->> 'messageId' AS "messageId", payload ->> 'type' AS type,
  payload ->> 'reviewId' AS "reviewId", attempt AS attempts, reason, (receipt ->> 'status')::int AS status,
  due_at::float8 AS "dueAt", created_at::float8 AS "createdAt", ended_at::float8 AS "endedAt"`;

// As the index outbox_webhook has it.
const OF_WEBHOOK = `kind = 'webhook' AND split_part(key, ':', 1) = $1`;

/** One page of a subscription's deliveries, the newest first. */
export const LIST_DELIVERIES = `
  SELECT ${COLUMNS} FROM outbox
   WHERE ${OF_WEBHOOK} AND ($2::bigint IS NULL OR id < $2) AND ($3::text[] IS NULL OR state = ANY ($3))
   ORDER BY id DESC LIMIT $4`;

export const listDeliveries = (
  db: Queryable,
  asked: {
    webhookId: string;
    before?: string | undefined;
    states?: readonly string[] | undefined;
    limit: number;
  },
): Promise<StoredDelivery[]> =>
  db.query<StoredDelivery>(LIST_DELIVERIES, [
    asked.webhookId,
    asked.before ?? null,
    asked.states ?? null,
    asked.limit,
  ]);

export async function findDelivery(
  db: Queryable,
  webhookId: string,
  id: string,
): Promise<StoredDelivery | undefined> {
  const [row] = await db.query<StoredDelivery>(
    `SELECT ${COLUMNS} FROM outbox WHERE ${OF_WEBHOOK} AND id = $2`,
    [webhookId, id],
  );
  return row;
}

/** Puts deliveries that ended on their way again, as if for the first time. @returns how many. */
export async function replayDeliveries(
  tx: Queryable,
  asked: { webhookId: string; ids?: readonly string[]; now: Instant; limit: number },
): Promise<number> {
  const states = asked.ids === undefined ? ['failed'] : ['sent', 'failed'];
  const rows = await tx.query(
    `UPDATE outbox SET state = 'pending', attempt = 0, ambiguous = false, due_at = $3, reason = NULL, receipt = NULL,
                       ended_at = NULL
      WHERE id IN (SELECT id FROM outbox WHERE ${OF_WEBHOOK} AND state = ANY ($2)
                      AND ($4::bigint[] IS NULL OR id = ANY ($4)) ORDER BY id LIMIT $5 FOR UPDATE)
        AND state = ANY ($2) RETURNING id`,
    [asked.webhookId, states, asked.now, asked.ids ?? null, asked.limit],
  );
  return rows.length;
}

/** How many tests of a subscription are on their way. */
export async function testsUnderWay(db: Queryable, webhookId: string): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM outbox
      WHERE ${OF_WEBHOOK} AND key LIKE '%:test%' AND state IN ('pending', 'sending', 'ambiguous')`,
    [webhookId],
  );
  return row?.count ?? 0;
}

/** The outbox row of one message. */
export async function deliveryOf(
  db: Queryable,
  webhookId: string,
  messageId: string,
): Promise<StoredDelivery | undefined> {
  const [row] = await db.query<StoredDelivery>(
    `SELECT ${COLUMNS} FROM outbox WHERE kind = '${WEBHOOK}' AND key = $1`,
    [`${webhookId}:${messageId}`],
  );
  return row;
}

/** Takes away what is kept for a subscription that is no more, but for what is being sent. */
export const dropDeliveries = (tx: Queryable, webhookId: string): Promise<unknown> =>
  tx.query(`DELETE FROM outbox WHERE ${OF_WEBHOOK} AND state <> 'sending'`, [webhookId]);
