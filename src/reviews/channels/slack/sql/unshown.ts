import type { Instant } from '../../../../clock.js';
import type { Queryable } from '../../../../database/queryable.js';
import { SLACK_POST } from '../delivery/slack-kinds.js';
import { WORKSPACE } from './broken.js';
import { WAITS } from './waits.js';

/** A review that a place should show and does not. */
export interface Unshown {
  readonly reviewId: string;
  readonly queue: string;
  readonly at: Instant;
  /** Since when it may have been posted all the same. */
  readonly lookSince?: Instant | undefined;
  /** How often it failed after the place had worked for others. */
  readonly tried: number;
}

interface UnshownRow {
  readonly review_id: string;
  readonly queue: string;
  readonly at: string;
  readonly look_since: string | null;
  readonly tried: number;
}

const toUnshown = (row: UnshownRow): Unshown => ({
  reviewId: row.review_id,
  queue: row.queue,
  at: Number(row.at),
  lookSince: row.look_since === null ? undefined : Number(row.look_since),
  tried: row.tried,
});

// More than these are one trouble.
const MOST_PLACES = 1000;

/** @returns whether it is new. */
export async function noteUnshown(
  tx: Queryable,
  { reviewId, place, at, lookSince, tried }: Omit<Unshown, 'queue'> & { readonly place: string },
): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO slack_unshown (review_id, place, at, look_since, tried) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (review_id) DO NOTHING RETURNING review_id`,
    [reviewId, place, at, lookSince ?? null, tried],
  );
  return rows.length === 1;
}

/** It is shown. */
export const forgetUnshown = (db: Queryable, reviewId: string): Promise<unknown> =>
  db.query('DELETE FROM slack_unshown WHERE review_id = $1', [reviewId]);

/** Whether its timeline says already that it could not be shown there. */
export async function hasFailedAt(db: Queryable, reviewId: string, place: string): Promise<boolean> {
  const rows = await db.query(
    `SELECT 1 FROM review_event WHERE review_id = $1 AND kind = 'slack_failed' AND data->>'place' = $2 LIMIT 1`,
    [reviewId, place],
  );
  return rows.length > 0;
}

/** Where reviews are noted whose queue has no channel. */
export const placeOfQueue = (queue: string): string => `queue:${queue}`;

/** Where reviews are not shown, and of which queues they are. */
export const unshownPlaces = (
  db: Queryable,
): Promise<readonly { readonly place: string; readonly queue: string }[]> =>
  db.query(
    `SELECT DISTINCT u.place, r.queue FROM slack_unshown u JOIN review r ON r.id = u.review_id LIMIT $1`,
    [MOST_PLACES],
  );

/**
 * Takes up to `limit` reviews off that a place did not show, of all channels for the workspace: what failed least, then what
 * failed the longest ago. Of one queue, where it is said.
 */
export async function takeUnshown(
  tx: Queryable,
  {
    place,
    queue,
    limit,
  }: { readonly place: string; readonly queue?: string | undefined; readonly limit: number },
): Promise<Unshown[]> {
  const rows = await tx.query<UnshownRow>(
    `DELETE FROM slack_unshown u USING review r
      WHERE r.id = u.review_id AND u.review_id IN (
        SELECT o.review_id FROM slack_unshown o JOIN review ON review.id = o.review_id
         WHERE $1 IN ('${WORKSPACE}', o.place) AND ($3::text IS NULL OR review.queue = $3)
         ORDER BY o.tried, o.at, o.review_id LIMIT $2 FOR UPDATE OF o)
     RETURNING u.review_id, r.queue, u.at, u.look_since, u.tried`,
    [place, limit, queue ?? null],
  );
  return rows.map(toUnshown).sort((a, b) => a.tried - b.tried || a.at - b.at);
}

/**
 * Reviews that wait for a decision, that nothing shows and for whom nothing is under way: they are from when Slack was off, or
 * were given up.
 */
export async function neverTold(
  db: Queryable,
  limit: number,
): Promise<readonly { readonly id: string; readonly queue: string }[]> {
  return db.query(
    `SELECT review.id, review.queue FROM review
      WHERE review.${WAITS}
        AND NOT EXISTS (SELECT 1 FROM review_message m
                         WHERE m.review_id = review.id AND m.channel = 'slack' AND m.person_id IS NULL)
        AND NOT EXISTS (SELECT 1 FROM slack_unshown u WHERE u.review_id = review.id)
        AND NOT EXISTS (SELECT 1 FROM slack_storm_review s JOIN slack_storm ON slack_storm.id = s.storm_id
                         WHERE s.review_id = review.id AND slack_storm.person_id IS NULL)
        AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.kind = '${SLACK_POST}' AND o.key = review.id::text
                         AND o.state <> 'failed')
      ORDER BY review.created_at, review.id LIMIT $1`,
    [limit],
  );
}
