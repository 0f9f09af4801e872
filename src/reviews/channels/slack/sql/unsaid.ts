import type { Instant } from '../../../../clock.js';
import type { Queryable } from '../../../../database/queryable.js';
import { WAITS } from './waits.js';

/** A line that a thread should have and has not. */
export interface Unsaid {
  /** Of the review's timeline. */
  readonly eventId: string;
  readonly reviewId: string;
  /** As the thread's handler reads it: the payload of its outbox message. */
  readonly line: Readonly<Record<string, unknown>>;
}

interface UnsaidRow {
  readonly event_id: string;
  readonly review_id: string;
  readonly line: Unsaid['line'];
}

/** The latest lines of one review that are said late; a thread is no archive. */
export const MOST_LINES = 20;

// Of whatever is forgotten at once.
const BATCH = 5000;

/** Keeps a line until its place works again. */
export const noteUnsaid = (
  tx: Queryable,
  { eventId, reviewId, line, place }: Unsaid & { readonly place: string },
): Promise<unknown> =>
  tx.query(
    `INSERT INTO slack_unsaid (event_id, review_id, place, line) VALUES ($1, $2, $3, $4::json)
     ON CONFLICT (event_id) DO NOTHING`,
    [eventId, reviewId, place, JSON.stringify(line)],
  );

// Where lines wait whose review has no message yet that they could stand below.
const BELOW = 'review:';
const HAS_MESSAGE = `EXISTS (SELECT 1 FROM review_message m
  WHERE m.review_id = u.review_id AND m.channel = 'slack' AND m.person_id IS NULL)`;

/** Keeps a line until its review's message is posted; of one review the latest alone. */
export async function noteAwaiting(db: Queryable, unsaid: Unsaid): Promise<void> {
  const place = `${BELOW}${unsaid.reviewId}`;
  await noteUnsaid(db, { ...unsaid, place });
  await db.query(
    `DELETE FROM slack_unsaid WHERE event_id IN (
       SELECT event_id FROM slack_unsaid WHERE place = $1 ORDER BY event_id DESC OFFSET $2)`,
    [place, MOST_LINES],
  );
}

/** Takes lines off that waited for their review's message, in their order; none while it has none. */
export async function takeAwaiting(tx: Queryable, reviewId: string): Promise<Unsaid[]> {
  const rows = await tx.query<UnsaidRow>(
    `DELETE FROM slack_unsaid u WHERE place = $1 AND ${HAS_MESSAGE} RETURNING event_id, review_id, line`,
    [`${BELOW}${reviewId}`],
  );
  return inOrder(rows);
}

/** Takes a line off that need not wait after all. @returns whether it still waited. */
export async function takeBack(db: Queryable, eventId: string): Promise<boolean> {
  const rows = await db.query('DELETE FROM slack_unsaid WHERE event_id = $1 RETURNING event_id', [eventId]);
  return rows.length === 1;
}

/**
 * Takes lines off that were to be said in a place, in their order; of all places where none is named, but not what waits
 * for a message that is not there.
 */
export async function takeUnsaid(
  tx: Queryable,
  { place, limit }: { readonly place?: string | undefined; readonly limit: number },
): Promise<Unsaid[]> {
  const rows = await tx.query<UnsaidRow>(
    `DELETE FROM slack_unsaid WHERE event_id IN (
       SELECT event_id FROM slack_unsaid u
        WHERE place = $1 OR $1::text IS NULL AND (place NOT LIKE '${BELOW}%' OR ${HAS_MESSAGE})
        ORDER BY event_id LIMIT $2 FOR UPDATE SKIP LOCKED)
     RETURNING event_id, review_id, line`,
    [place ?? null, limit],
  );
  return inOrder(rows);
}

/** Of reviews that are over since then no message comes any more. */
export const forgetAwaiting = (db: Queryable, overSince: Instant): Promise<unknown> =>
  db.query(
    `DELETE FROM slack_unsaid WHERE event_id IN (
       SELECT u.event_id FROM slack_unsaid u JOIN review ON review.id = u.review_id
        WHERE u.place LIKE '${BELOW}%' AND NOT review.${WAITS} AND review.updated_at < $1 LIMIT $2)`,
    [overSince, BATCH],
  );

const inOrder = (rows: readonly UnsaidRow[]): Unsaid[] =>
  rows
    .map((row) => ({ eventId: row.event_id, reviewId: row.review_id, line: row.line }))
    .sort((a, b) => Number(a.eventId) - Number(b.eventId));
