import type { Instant } from '../../../../clock.js';
import type { Queryable } from '../../../../database/queryable.js';
import { REVIEW_COLUMNS, toReview, type Review, type ReviewRow } from '../../../review.js';
import { SLACK_THREAD } from '../delivery/slack-kinds.js';
import { WAITS } from './waits.js';

/** One message about many new reviews. */
export interface Storm {
  readonly id: string;
  readonly channel: string;
  /** Whose direct messages the channel is; absent for a channel of many. */
  readonly personId?: string | undefined;
  /** With which account; of an older release absent. */
  readonly userId?: string | undefined;
  readonly at: Instant;
  /** Of its message, once it is posted. */
  readonly ts?: string | undefined;
  /** When it was over. */
  readonly calmAt?: Instant | undefined;
}

interface StormRow {
  readonly id: string;
  readonly channel: string;
  readonly person_id: string | null;
  readonly user_id: string | null;
  readonly at: string;
  readonly ts: string | null;
  readonly calm_at: string | null;
}

const toStorm = (row: StormRow): Storm => ({
  id: row.id,
  channel: row.channel,
  ...(row.person_id === null ? {} : { personId: row.person_id }),
  ...(row.user_id === null ? {} : { userId: row.user_id }),
  at: Number(row.at),
  ...(row.ts === null ? {} : { ts: row.ts }),
  ...(row.calm_at === null ? {} : { calmAt: Number(row.calm_at) }),
});

/** The storm of a channel whose message tells of this review. */
export async function stormOf(db: Queryable, reviewId: string, channel: string): Promise<Storm | undefined> {
  return (await stormsOf(db, reviewId)).find((storm) => storm.channel === channel);
}

/** All storms whose messages tell of a review: in its channel, and in direct messages. */
export async function stormsOf(db: Queryable, reviewId: string): Promise<Storm[]> {
  const rows = await db.query<StormRow>(
    `SELECT s.* FROM slack_storm s JOIN slack_storm_review r ON r.storm_id = s.id WHERE r.review_id = $1`,
    [reviewId],
  );
  return rows.map(toStorm);
}

export async function findStorm(db: Queryable, id: string): Promise<Storm | undefined> {
  const [row] = await db.query<StormRow>('SELECT * FROM slack_storm WHERE id = $1', [id]);
  return row && toStorm(row);
}

/** The storm of a channel that began after a moment. */
export async function stormSince(tx: Queryable, channel: string, since: Instant): Promise<Storm | undefined> {
  const [row] = await tx.query<StormRow>(
    `SELECT * FROM slack_storm WHERE channel = $1 AND at > $2 AND calm_at IS NULL ORDER BY at DESC LIMIT 1`,
    [channel, since],
  );
  return row && toStorm(row);
}

/** Messages of a kind that wait for their turn, by lane. */
export const waitingByLane = (
  db: Queryable,
  kind: string,
  now: Instant,
): Promise<readonly { readonly lane: string; readonly waiting: number }[]> =>
  db.query(
    `SELECT order_group AS lane, count(*)::int AS waiting FROM outbox
      WHERE kind = $1 AND state = 'pending' AND due_at <= $2 AND order_group IS NOT NULL
      GROUP BY order_group`,
    [kind, now],
  );

/** Lines of threads that the clock says, and that are not said yet. */
export async function waitingClockLines(db: Queryable, kinds: readonly string[]): Promise<number> {
  const [row] = await db.query<{ waiting: number }>(
    `SELECT count(*)::int AS waiting FROM outbox
      WHERE kind = '${SLACK_THREAD}' AND state IN ('pending', 'sending', 'ambiguous')
        AND payload->>'kind' = ANY ($1)`,
    [kinds],
  );
  return row?.waiting ?? 0;
}

/** One at a time decides what a channel's storm is. */
export const lockStorms = (tx: Queryable, channel: string): Promise<unknown> =>
  tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('slack-storm:' || $1, 0))`, [channel]);

export const insertStorm = (tx: Queryable, { id, channel, personId, userId, at }: Storm): Promise<unknown> =>
  tx.query('INSERT INTO slack_storm (id, channel, person_id, user_id, at) VALUES ($1, $2, $3, $4, $5)', [
    id,
    channel,
    personId ?? null,
    userId ?? null,
    at,
  ]);

export const addToStorm = (tx: Queryable, stormId: string, reviewId: string): Promise<unknown> =>
  tx.query(`INSERT INTO slack_storm_review (review_id, storm_id) VALUES ($2, $1) ON CONFLICT DO NOTHING`, [
    stormId,
    reviewId,
  ]);

/** Puts everything into a storm that waits for a message of its own in these lanes, the oldest first. */
export const gatherStorm = (
  tx: Queryable,
  args: {
    readonly stormId: string;
    readonly kind: string;
    readonly lanes: readonly string[];
    readonly now: Instant;
    readonly limit: number;
  },
): Promise<unknown> =>
  tx.query(
    `INSERT INTO slack_storm_review (review_id, storm_id)
     SELECT review.id, $1::uuid FROM outbox o JOIN review ON review.id = (o.payload->>'reviewId')::uuid
      WHERE o.kind = $5 AND o.state = 'pending' AND o.due_at <= $3 AND o.order_group = ANY ($2)
        AND coalesce(o.payload#>>'{telling,kind}', 'opened') IN ('opened', 'assigned', 'escalated')
        AND o.payload->>'single' IS NULL AND o.payload->>'lookSince' IS NULL AND review.${WAITS}
      ORDER BY o.id LIMIT $4
     ON CONFLICT DO NOTHING`,
    [args.stormId, args.lanes, args.now, args.limit, args.kind],
  );

/** How the reviews of a storm stand now. */
export interface StormFigures {
  readonly all: number;
  /** Can still be decided. */
  readonly open: number;
  /** Of those: somebody has it. */
  readonly taken: number;
  readonly decided: number;
}

/** @param queues of these alone; of all where absent. */
export async function stormFigures(
  db: Queryable,
  id: string,
  queues?: readonly string[],
): Promise<StormFigures> {
  const [row] = await db.query<StormFigures>(
    `SELECT count(*)::int AS all, (count(*) FILTER (WHERE ${WAITS}))::int AS open,
            (count(*) FILTER (WHERE ${WAITS} AND claimed_by IS NOT NULL))::int AS taken,
            (count(*) FILTER (WHERE decided_at IS NOT NULL))::int AS decided
       FROM slack_storm_review m JOIN review ON review.id = m.review_id
      WHERE m.storm_id = $1 AND ($2::text[] IS NULL OR queue = ANY ($2))`,
    [id, queues ?? null],
  );
  return row ?? { all: 0, open: 0, taken: 0, decided: 0 };
}

/** Queues that reviews of a storm are of, whether they wait or not. */
export async function queuesOfStorm(db: Queryable, id: string): Promise<string[]> {
  const rows = await db.query<{ queue: string }>(
    `SELECT DISTINCT queue FROM slack_storm_review m JOIN review ON review.id = m.review_id
      WHERE m.storm_id = $1`,
    [id],
  );
  return rows.map(({ queue }) => queue);
}

/** Which of a storm's reviews are asked for. */
interface Wanted {
  readonly limit: number;
  /** Of these alone; of all where absent. */
  readonly queues?: readonly string[] | undefined;
}

/** The most urgent of those that wait: what is due first, then what is gravest. */
export const stormReviews = (db: Queryable, id: string, wanted: Wanted): Promise<Review[]> =>
  waitingIn(db, 'true', id, wanted, []);

/** Of those, what nobody has yet; in somebody's direct messages what is theirs, too. */
export const leftOfStorm = (
  db: Queryable,
  { id, personId }: Pick<Storm, 'id' | 'personId'>,
  wanted: Wanted,
): Promise<Review[]> =>
  waitingIn(db, `(claimed_by IS NULL OR claimed_by = $4 AND state = 'ASSIGNED')`, id, wanted, [
    personId ?? null,
  ]);

async function waitingIn(
  db: Queryable,
  which: string,
  id: string,
  { limit, queues }: Wanted,
  values: readonly unknown[],
): Promise<Review[]> {
  const rows = await db.query<ReviewRow>(
    `SELECT ${REVIEW_COLUMNS} FROM slack_storm_review m JOIN review ON review.id = m.review_id
      WHERE m.storm_id = $1 AND ($3::text[] IS NULL OR queue = ANY ($3)) AND review.${WAITS} AND ${which}
      ORDER BY due_at NULLS LAST, coalesce(risk, 50) DESC, created_at, id LIMIT $2`,
    [id, limit, queues ?? null, ...values],
  );
  return rows.map(toReview);
}

export const noteStormPosted = (db: Queryable, id: string, ts: string): Promise<unknown> =>
  db.query('UPDATE slack_storm SET ts = $2 WHERE id = $1', [id, ts]);

/** @returns whether it had not been over yet. */
export async function endStorm(tx: Queryable, id: string, now: Instant): Promise<boolean> {
  const rows = await tx.query(
    'UPDATE slack_storm SET calm_at = $2 WHERE id = $1 AND calm_at IS NULL RETURNING id',
    [id, now],
  );
  return rows.length === 1;
}

/** A review is told otherwise: in the same transaction, since whatever tells of it looks first whether a storm does. */
export const leaveStorm = (tx: Queryable, id: string, reviewId: string): Promise<unknown> =>
  tx.query('DELETE FROM slack_storm_review WHERE storm_id = $1 AND review_id = $2', [id, reviewId]);

/** Its message cannot be posted, and what waits of it was told otherwise. Whoever joins meanwhile is kept out by `lockStorms`. */
export async function dropStorm(tx: Queryable, id: string): Promise<void> {
  await tx.query('DELETE FROM slack_storm_review WHERE storm_id = $1', [id]);
  await tx.query('DELETE FROM slack_storm WHERE id = $1', [id]);
}

/** Posted storms whose reviews changed since a moment, while their own message may not have; of all places or of one channel. */
export async function stormsBehind(
  db: Queryable,
  { since, channel }: { readonly since: Instant; readonly channel?: string | undefined },
  limit: number,
): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT s.id FROM slack_storm s
      WHERE s.ts IS NOT NULL AND s.at >= $1 AND ($2::text IS NULL OR s.channel = $2)
        AND EXISTS (SELECT 1 FROM slack_storm_review m JOIN review ON review.id = m.review_id
                     WHERE m.storm_id = s.id AND review.updated_at >= $1)
      ORDER BY s.at DESC LIMIT $3`,
    [since, channel ?? null, limit],
  );
  return rows.map(({ id }) => id);
}
