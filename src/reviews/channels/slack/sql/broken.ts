import type { Instant } from '../../../../clock.js';
import type { Queryable } from '../../../../database/queryable.js';

/** A channel by its id, or the workspace as a whole. */
export const WORKSPACE = '*';

/** Where nothing can be told. */
export interface BrokenPlace {
  /** A channel's id; `*` for the whole workspace. */
  readonly place: string;
  readonly since: Instant;
  /** Slack's word for it. */
  readonly reason: string;
}

interface BrokenRow {
  readonly place: string;
  readonly since: string;
  readonly reason: string;
}

const toBroken = (row: BrokenRow): BrokenPlace => ({ ...row, since: Number(row.since) });

// More broken channels than this are one trouble.
const MOST = 200;

export async function brokenPlaces(db: Queryable): Promise<BrokenPlace[]> {
  const rows = await db.query<BrokenRow>(
    'SELECT place, since, reason FROM slack_broken ORDER BY since, place LIMIT $1',
    [MOST],
  );
  return rows.map(toBroken);
}

/** Whether nothing can be told in this channel now: because of it, or of the workspace. */
export async function brokenFor(db: Queryable, channel: string): Promise<BrokenPlace | undefined> {
  const [row] = await db.query<BrokenRow>(
    `SELECT place, since, reason FROM slack_broken WHERE place IN ('${WORKSPACE}', $1) ORDER BY place LIMIT 1`,
    [channel],
  );
  return row && toBroken(row);
}

/** Whether it is broken still; until the transaction ends it stays so, and whoever finds it mended waits. */
export async function staysBroken(tx: Queryable, place: string): Promise<boolean> {
  const rows = await tx.query('SELECT 1 FROM slack_broken WHERE place = $1 FOR SHARE', [place]);
  return rows.length === 1;
}

/** @returns whether it is new: of many who find it at the same time, to one. */
export async function markBroken(tx: Queryable, broken: BrokenPlace): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO slack_broken (place, since, reason) VALUES ($1, $2, $3)
     ON CONFLICT (place) DO NOTHING RETURNING place`,
    [broken.place, broken.since, broken.reason],
  );
  return rows.length === 1;
}

/** @returns since when it was; `undefined` for one that was not. */
export async function unmarkBroken(tx: Queryable, place: string): Promise<Instant | undefined> {
  const [row] = await tx.query<{ since: string }>(
    'DELETE FROM slack_broken WHERE place = $1 RETURNING since',
    [place],
  );
  return row && Number(row.since);
}

/** A review that a place should show and does not. */
export interface Unshown {
  readonly reviewId: string;
  readonly queue: string;
  readonly at: Instant;
  /** Since when it may have been posted all the same. */
  readonly lookSince?: Instant | undefined;
}

/** @returns whether it is new. */
export async function noteUnshown(
  tx: Queryable,
  { reviewId, place, at, lookSince }: Omit<Unshown, 'queue'> & { readonly place: string },
): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO slack_unshown (review_id, place, at, look_since) VALUES ($1, $2, $3, $4)
     ON CONFLICT (review_id) DO NOTHING RETURNING review_id`,
    [reviewId, place, at, lookSince ?? null],
  );
  return rows.length === 1;
}

/** Where reviews are noted whose queue has no channel. */
export const placeOfQueue = (queue: string): string => `queue:${queue}`;

/** Queues without a channel that reviews were to be shown in. */
export async function queuesUnshown(db: Queryable): Promise<string[]> {
  const rows = await db.query<{ place: string }>(
    `SELECT DISTINCT place FROM slack_unshown WHERE place LIKE 'queue:%' LIMIT $1`,
    [MOST],
  );
  return rows.map(({ place }) => place.slice('queue:'.length));
}

/** Takes up to `limit` reviews off that a place did not show; of all channels for the workspace. */
export async function takeUnshown(tx: Queryable, place: string, limit: number): Promise<Unshown[]> {
  const rows = await tx.query<{
    review_id: string;
    queue: string;
    at: string;
    look_since: string | null;
  }>(
    `DELETE FROM slack_unshown u USING review r
      WHERE r.id = u.review_id AND u.review_id IN (
        SELECT review_id FROM slack_unshown WHERE $1 IN ('${WORKSPACE}', place)
         ORDER BY at, review_id LIMIT $2 FOR UPDATE SKIP LOCKED)
     RETURNING u.review_id, r.queue, u.at, u.look_since`,
    [place, limit],
  );
  return rows
    .map((row) => ({
      reviewId: row.review_id,
      queue: row.queue,
      at: Number(row.at),
      lookSince: row.look_since === null ? undefined : Number(row.look_since),
    }))
    .sort((a, b) => a.at - b.at);
}
