import type { Queryable } from '../../../../database/queryable.js';

/** A line that a thread should have and has not. */
export interface Unsaid {
  /** Of the review's timeline. */
  readonly eventId: string;
  readonly reviewId: string;
  /** As it is said: the payload of its outbox message. */
  readonly line: Readonly<Record<string, unknown>>;
}

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

/** The same for a review that has a message in a channel. */
export const noteUnsaidBelow = (tx: Queryable, { eventId, reviewId, line }: Unsaid): Promise<unknown> =>
  tx.query(
    `INSERT INTO slack_unsaid (event_id, review_id, place, line)
     SELECT $1::bigint, $2::uuid, address, $3::json FROM review_message
      WHERE review_id = $2::uuid AND channel = 'slack' AND person_id IS NULL LIMIT 1
     ON CONFLICT (event_id) DO NOTHING`,
    [eventId, reviewId, JSON.stringify(line)],
  );

/** Takes lines off that were to be said in a place, in their order; of all places where none is named. */
export async function takeUnsaid(
  tx: Queryable,
  { place, limit }: { readonly place?: string | undefined; readonly limit: number },
): Promise<Unsaid[]> {
  const rows = await tx.query<{ event_id: string; review_id: string; line: Unsaid['line'] }>(
    `DELETE FROM slack_unsaid WHERE event_id IN (
       SELECT event_id FROM slack_unsaid WHERE $1::text IS NULL OR place = $1
        ORDER BY event_id LIMIT $2 FOR UPDATE SKIP LOCKED)
     RETURNING event_id, review_id, line`,
    [place ?? null, limit],
  );
  return rows
    .map((row) => ({ eventId: row.event_id, reviewId: row.review_id, line: row.line }))
    .sort((a, b) => Number(a.eventId) - Number(b.eventId));
}
