import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { Person, Via } from '../rules/review.js';

export const REVIEW_EVENT_KINDS = [
  'opened',
  'claimed',
  'released',
  'reassigned',
  'delegated',
  'voted',
  'withdrawn',
  'decided',
  'skipped',
  'held',
  'resumed',
  'asked',
  'answered',
  'postponed',
  'rescheduled',
  'renewed',
  'reminded',
  'escalated',
  'due_soon',
  'given_back',
  'breached',
  'expired',
  'nobody_eligible',
  'commented',
  'comment_edited',
  'case_joined',
  'case_left',
  'mail_bounced',
  'auto_replied',
  'slack_failed',
  'cancelled',
  'completed',
  'download_asked',
  'download_granted',
  'download_refused',
  'download_started',
  'download_ended',
  'attached',
  'attachment_clean',
  'attachment_refused',
  'uploader_asked',
  'uploader_silent',
] as const;
export type ReviewEventKind = (typeof REVIEW_EVENT_KINDS)[number];

/** One line of a review's timeline. */
export interface ReviewEvent {
  readonly at: Instant;
  readonly kind: ReviewEventKind;
  readonly by: Person;
  readonly via: Via;
  readonly data: Readonly<Record<string, unknown>>;
}

// A timeline is read by people; what is beyond is in the audit trail.
const TIMELINE_LIMIT = 500;

/** @returns its number: of one review, later events have larger ones. */
export async function insertReviewEvent(
  tx: Queryable,
  reviewId: string,
  event: ReviewEvent,
): Promise<string> {
  const [row] = await tx.query<{ id: string }>(
    `INSERT INTO review_event (review_id, at, kind, actor, actor_name, via, data)
     VALUES ($1, $2, $3, $4, $5, $6, $7::json) RETURNING id`,
    [reviewId, event.at, event.kind, event.by.id, event.by.name, event.via, JSON.stringify(event.data)],
  );
  if (row === undefined) throw new Error('an event of a review was not written');
  return row.id;
}

/** The latest events, oldest first. */
export async function reviewTimeline(db: Queryable, reviewId: string): Promise<ReviewEvent[]> {
  const rows = await db.query<{
    at: string;
    kind: ReviewEventKind;
    actor: string;
    actor_name: string;
    via: Via;
    data: Record<string, unknown>;
  }>(
    `SELECT at, kind, actor, actor_name, via, data FROM review_event
     WHERE review_id = $1 ORDER BY id DESC LIMIT $2`,
    [reviewId, TIMELINE_LIMIT],
  );
  return rows.toReversed().map((row) => ({
    at: Number(row.at),
    kind: row.kind,
    by: { id: row.actor, name: row.actor_name },
    via: row.via,
    data: row.data,
  }));
}
