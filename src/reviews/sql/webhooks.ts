import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';

/** A subscription: where changes of reviews are told, and which. Secrets are encrypted. */
export interface StoredWebhook {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly secret: string;
  readonly oldSecret: string | null;
  /** Until when the old one signs too. */
  readonly oldUntil: Instant | null;
  /** Empty: all. */
  readonly events: readonly string[];
  /** Empty: all. */
  readonly queues: readonly string[];
  readonly isActive: boolean;
  readonly offReason: string | null;
  readonly failingSince: Instant | null;
  readonly version: number;
  readonly createdAt: Instant;
  readonly createdBy: string;
  readonly updatedAt: Instant;
}

const COLUMNS = `id, name, url, secret, old_secret AS "oldSecret", old_until::float8 AS "oldUntil", events, queues,
  is_active AS "isActive", off_reason AS "offReason", failing_since::float8 AS "failingSince", version,
  created_at::float8 AS "createdAt", created_by AS "createdBy", updated_at::float8 AS "updatedAt"`;

export const listWebhooks = (db: Queryable): Promise<StoredWebhook[]> =>
  db.query<StoredWebhook>(`SELECT ${COLUMNS} FROM webhook ORDER BY name`);

export async function findWebhook(db: Queryable, id: string): Promise<StoredWebhook | undefined> {
  const [row] = await db.query<StoredWebhook>(`SELECT ${COLUMNS} FROM webhook WHERE id = $1`, [id]);
  return row;
}

/** Lets nobody else add or change one until the transaction ends. */
export const lockWebhooks = (tx: Queryable): Promise<unknown> =>
  tx.query('LOCK TABLE webhook IN SHARE ROW EXCLUSIVE MODE');

/** Adds one. @returns false when there are `most` already, or one of that name. */
export async function insertWebhook(tx: Queryable, one: StoredWebhook, most: number): Promise<boolean> {
  // So that two at once do not both become the last one.
  await lockWebhooks(tx);
  const rows = await tx.query(
    `INSERT INTO webhook (id, name, url, secret, events, queues, is_active, created_at, created_by, updated_at)
     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $8 WHERE (SELECT count(*) FROM webhook) < $10
     ON CONFLICT (name) DO NOTHING RETURNING id`,
    [
      one.id,
      one.name,
      one.url,
      one.secret,
      one.events,
      one.queues,
      one.isActive,
      one.createdAt,
      one.createdBy,
      most,
    ],
  );
  return rows.length === 1;
}

/** Writes the subscription if it is still of the version before. @returns whether it was. */
export async function updateWebhook(tx: Queryable, next: StoredWebhook): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE webhook SET name = $3, url = $4, secret = $5, old_secret = $6, old_until = $7, events = $8, queues = $9,
       is_active = $10, off_reason = $11, failing_since = $12, updated_at = $13, version = $2 + 1
     WHERE id = $1 AND version = $2 RETURNING id`,
    [
      next.id,
      next.version,
      next.name,
      next.url,
      next.secret,
      next.oldSecret,
      next.oldUntil,
      next.events,
      next.queues,
      next.isActive,
      next.offReason,
      next.failingSince,
      next.updatedAt,
    ],
  );
  return rows.length === 1;
}

export async function deleteWebhook(tx: Queryable, id: string): Promise<boolean> {
  return (await tx.query('DELETE FROM webhook WHERE id = $1 RETURNING id', [id])).length === 1;
}

/** Notes that something arrived; writes only where the last did not. */
export const noteArrival = (db: Queryable, id: string): Promise<unknown> =>
  db.query('UPDATE webhook SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL', [id]);

/** Notes that something did not arrive. @returns since when nothing does. */
export async function noteFailure(db: Queryable, id: string, now: Instant): Promise<Instant> {
  await db.query('UPDATE webhook SET failing_since = $2 WHERE id = $1 AND failing_since IS NULL', [id, now]);
  const [row] = await db.query<{ since: number | null }>(
    'SELECT failing_since::float8 AS since FROM webhook WHERE id = $1',
    [id],
  );
  return row?.since ?? now;
}

/** Switches one off. @returns false when it was off. */
export async function switchOff(
  tx: Queryable,
  { id, reason, now }: { id: string; reason: string; now: Instant },
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE webhook SET is_active = false, off_reason = $2, updated_at = $3, version = version + 1
     WHERE id = $1 AND is_active RETURNING id`,
    [id, reason, now],
  );
  return rows.length === 1;
}

/** What is told of a review; nothing of what was found. */
export interface ReviewFacts {
  readonly id: string;
  readonly title: string;
  readonly queue: string;
  readonly state: string;
  readonly version: number;
  readonly round: number;
  readonly outcomes: readonly string[];
  readonly verdict: string | null;
  readonly workflowId: string;
  readonly taskId: string;
  readonly scanId: string | null;
  readonly claimedBy: string | null;
  readonly claimedByName: string | null;
  readonly outcome: string | null;
  readonly decidedBy: string | null;
  readonly decidedByName: string | null;
  readonly decidedAt: Instant | null;
  readonly dueAt: Instant | null;
  readonly createdAt: Instant;
  readonly object: { bucket: string; key: string; versionId?: string } | null;
  readonly sha256: string | null;
  readonly findingsTotal: number;
}

/** The active subscriptions that want to hear of this, and the review as it is in this transaction. */
export const subscribersOf = (
  tx: Queryable,
  reviewId: string,
  event: string,
): Promise<{ webhookId: string; review: ReviewFacts }[]> =>
  tx.query(
    `SELECT w.id AS "webhookId", json_build_object(
        'id', r.id, 'title', r.title, 'queue', r.queue, 'state', r.state, 'version', r.version, 'round', r.round,
        'outcomes', r.outcomes, 'verdict', r.verdict, 'workflowId', r.workflow_id, 'taskId', r.task_id,
        'scanId', r.scan_id, 'claimedBy', r.claimed_by, 'claimedByName', r.claimed_by_name, 'outcome', r.outcome,
        'decidedBy', r.decided_by, 'decidedByName', r.decided_by_name, 'decidedAt', r.decided_at, 'dueAt', r.due_at,
        'createdAt', r.created_at, 'object', r.subject #> '{object,ref}', 'sha256', r.subject ->> 'sha256',
        'findingsTotal', coalesce((r.subject ->> 'findingsTotal')::int, 0)) AS review
       FROM webhook w, review r
      WHERE r.id = $1 AND w.is_active
        AND (w.events = '{}' OR $2 = ANY (w.events)) AND (w.queues = '{}' OR r.queue = ANY (w.queues)
             OR w.name IN (SELECT json_array_elements_text(r.policy -> 'webhooks')))
      ORDER BY w.id`,
    [reviewId, event],
  );
