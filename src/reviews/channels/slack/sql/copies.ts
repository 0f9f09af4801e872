import type { Telling } from '../../channel.js';
import { TellingShape } from '../../telling-shape.js';
import type { Instant } from '../../../../clock.js';
import type { Queryable } from '../../../../database/queryable.js';
import { WAITS } from './waits.js';

/** A copy of a review that people see in Slack: one in its channel, one in the direct messages of each who was told. */
export interface SlackCopy {
  readonly channel: string;
  readonly ts: string;
  /** Whose direct message it is; absent for a channel's. */
  readonly personId?: string | undefined;
  /** With which account; of a release before this one, of which it was not kept, absent too. */
  readonly userId?: string | undefined;
  /** The version of the review that it shows, and of the steps after the decision. */
  readonly shown: number;
  readonly shownSteps: number;
  readonly postedAt: Instant;
  /** Of a direct message: why they were told, and by whom. */
  readonly telling?: Telling | undefined;
}

interface CopyRow {
  readonly address: string;
  readonly message_id: string;
  readonly person_id: string | null;
  readonly slack_user_id: string | null;
  readonly shown: number;
  readonly shown_steps: number;
  readonly posted_at: string;
  readonly telling: unknown;
}

const COLUMNS = 'address, message_id, person_id, slack_user_id, shown, shown_steps, posted_at, telling';

const toCopy = (row: CopyRow): SlackCopy => ({
  channel: row.address,
  ts: row.message_id,
  ...(row.person_id === null ? {} : { personId: row.person_id }),
  ...(row.slack_user_id === null ? {} : { userId: row.slack_user_id }),
  shown: row.shown,
  shownSteps: row.shown_steps,
  postedAt: Number(row.posted_at),
  // What a later release tells of is shown without it.
  telling: TellingShape.safeParse(row.telling).data,
});

/**
 * Remembers a message that was posted; one that is there already stays as it is. A message is one review's: it is asked
 * under a lock, since an index that forbids more would fail where an older release wrote them.
 *
 * @returns whether the message is no other review's.
 */
export async function insertSlackCopy(
  tx: Queryable,
  reviewId: string,
  copy: Pick<SlackCopy, 'channel' | 'ts' | 'personId' | 'userId' | 'telling'> & { readonly shown: number },
  now: Instant,
): Promise<boolean> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('slack-copy:' || $1 || ':' || $2, 0))`, [
    copy.channel,
    copy.ts,
  ]);
  const shows = await reviewOfMessage(tx, copy.channel, copy.ts);
  if (shows !== undefined) return shows === reviewId;
  await tx.query(
    `INSERT INTO review_message
       (review_id, channel, address, message_id, posted_at, person_id, slack_user_id, shown, telling)
     VALUES ($1, 'slack', $2, $3, $4, $5, $6, $7, $8::json) ON CONFLICT (review_id, channel, address) DO NOTHING`,
    [
      reviewId,
      copy.channel,
      copy.ts,
      now,
      copy.personId ?? null,
      copy.userId ?? null,
      copy.shown,
      copy.telling === undefined ? null : JSON.stringify(copy.telling),
    ],
  );
  return true;
}

/** Direct messages that are somebody else's now: their copy is another person's, and shows what that one may see. */
export const passCopyOn = (
  db: Queryable,
  reviewId: string,
  copy: Pick<SlackCopy, 'channel' | 'ts' | 'personId' | 'userId'>,
): Promise<unknown> =>
  db.query(
    `UPDATE review_message SET person_id = $4, slack_user_id = $5, shown = 0, telling = NULL
      WHERE review_id = $1 AND channel = 'slack' AND address = $2 AND message_id = $3`,
    [reviewId, copy.channel, copy.ts, copy.personId, copy.userId],
  );

/** All copies of a review. */
export async function slackCopies(db: Queryable, reviewId: string): Promise<SlackCopy[]> {
  const rows = await db.query<CopyRow>(
    `SELECT ${COLUMNS} FROM review_message WHERE review_id = $1 AND channel = 'slack' ORDER BY address`,
    [reviewId],
  );
  return rows.map(toCopy);
}

/** The copies of a review that show less than there is. */
export const staleCopies = async (
  db: Queryable,
  reviewId: string,
  now: { readonly version: number; readonly steps: number },
): Promise<SlackCopy[]> => (await slackCopies(db, reviewId)).filter((copy) => isBehind(copy, now));

export const isBehind = (
  copy: Pick<SlackCopy, 'shown' | 'shownSteps'>,
  now: { readonly version: number; readonly steps: number },
): boolean => copy.shown < now.version || copy.shownSteps < now.steps;

/** Which review a message is about, by where it stands. */
export async function reviewOfMessage(
  db: Queryable,
  channel: string,
  ts: string,
): Promise<string | undefined> {
  const [row] = await db.query<{ review_id: string }>(
    `SELECT review_id FROM review_message WHERE channel = 'slack' AND address = $1 AND message_id = $2`,
    [channel, ts],
  );
  return row?.review_id;
}

/** Whether a message is known already: as a copy of a review, or as a storm's. */
export async function isKnownMessage(db: Queryable, channel: string, ts: string): Promise<boolean> {
  const rows = await db.query(
    `SELECT 1 FROM review_message WHERE channel = 'slack' AND address = $1 AND message_id = $2
     UNION ALL SELECT 1 FROM slack_storm WHERE channel = $1 AND ts = $2 LIMIT 1`,
    [channel, ts],
  );
  return rows.length > 0;
}

/** Notes what a copy shows now; it never goes back. */
export const noteShown = (
  db: Queryable,
  reviewId: string,
  copy: Pick<SlackCopy, 'channel' | 'ts'>,
  shown: { readonly version: number; readonly steps: number },
): Promise<unknown> =>
  db.query(
    `UPDATE review_message SET shown = greatest(shown, $4), shown_steps = greatest(shown_steps, $5)
      WHERE review_id = $1 AND channel = 'slack' AND address = $2 AND message_id = $3`,
    [reviewId, copy.channel, copy.ts, shown.version, shown.steps],
  );

/** There is no such message (any more), or it is not ours to change. */
export const forgetCopy = (
  db: Queryable,
  reviewId: string,
  copy: Pick<SlackCopy, 'channel' | 'ts'>,
): Promise<unknown> =>
  db.query(
    `DELETE FROM review_message
      WHERE review_id = $1 AND channel = 'slack' AND address = $2 AND message_id = $3`,
    [reviewId, copy.channel, copy.ts],
  );

/**
 * Copies that show less of their review, or of what its workflow does after the decision, than there is; of reviews that
 * changed since a moment, of all places or of one channel. The latest first.
 */
export async function copiesBehind(
  db: Queryable,
  asked: { readonly since: Instant; readonly channel?: string | undefined; readonly limit: number },
): Promise<(Pick<SlackCopy, 'channel' | 'ts'> & { readonly reviewId: string })[]> {
  const rows = await db.query<{ review_id: string; address: string; message_id: string }>(
    `SELECT m.review_id, m.address, m.message_id
       FROM review_message m JOIN review r ON r.id = m.review_id LEFT JOIN slack_steps s ON s.review_id = r.id
      WHERE m.channel = 'slack' AND (m.shown < r.version OR m.shown_steps < s.revision)
        AND r.updated_at >= $1 AND ($2::text IS NULL OR m.address = $2)
      ORDER BY r.updated_at DESC, m.address LIMIT $3`,
    [asked.since, asked.channel ?? null, asked.limit],
  );
  return rows.map((row) => ({ channel: row.address, ts: row.message_id, reviewId: row.review_id }));
}

/** Messages of reviews that wait for a decision, in channels that no queue has any more. */
export async function copiesElsewhere(
  db: Queryable,
  { channels, limit }: { readonly channels: readonly string[]; readonly limit: number },
): Promise<(Pick<SlackCopy, 'channel' | 'ts'> & { readonly reviewId: string })[]> {
  const rows = await db.query<{ review_id: string; address: string; message_id: string }>(
    `SELECT m.review_id, m.address, m.message_id FROM review_message m JOIN review ON review.id = m.review_id
      WHERE m.channel = 'slack' AND m.person_id IS NULL AND m.address <> ALL ($1) AND review.${WAITS}
      ORDER BY m.posted_at LIMIT $2`,
    [channels, limit],
  );
  return rows.map((row) => ({ channel: row.address, ts: row.message_id, reviewId: row.review_id }));
}
