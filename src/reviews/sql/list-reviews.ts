import type { Instant } from '../../clock.js';
import type { Place } from '../../cursor.js';
import type { Queryable } from '../../database/queryable.js';
import { REVIEW_COLUMNS, toReview, type Review, type ReviewRow } from '../review.js';
import { WAITING_STATES, type ReviewState } from '../rules/review.js';

/** Whose a review is, as an inbox asks. */
export type InboxView =
  /** This person has it. */
  | { readonly kind: 'mine'; readonly personId: string }
  /** Nobody has it, and it asks this person or one of their groups. */
  | { readonly kind: 'asked'; readonly personId: string; readonly groups: readonly string[] }
  | { readonly kind: 'unassigned' }
  /** It is past its deadline. */
  | { readonly kind: 'breached'; readonly now: Instant };

/** Newest first, or what is due first; the latter lists only what waits. */
export type ReviewOrder = 'created' | 'due';

export interface ReviewFilter {
  readonly states?: readonly ReviewState[] | undefined;
  readonly queue?: string | undefined;
  /** Only these; all when absent. */
  readonly queues?: readonly string[] | undefined;
  readonly view?: InboxView | undefined;
  readonly scanId?: string | undefined;
  readonly workflowId?: string | undefined;
  readonly order: ReviewOrder;
  /** Strictly behind this row in that order. */
  readonly after?: Place | undefined;
  readonly limit: number;
}

// What has no deadline comes behind what has one, the oldest first. The indexes have the same.
const NEVER_DUE = 4_000_000_000_000_000;
const DUE = `coalesce(due_at, ${NEVER_DUE} + created_at)`;
// Written out, so that the partial indexes serve.
const WAITS = `state IN (${WAITING_STATES.map((state) => `'${state}'`).join(', ')})`;

/** One page of reviews. */
export async function listReviews(db: Queryable, filter: ReviewFilter): Promise<Review[]> {
  const values: unknown[] = [];
  const hole = (value: unknown): string => `$${values.push(value)}`;
  const where = [...conditionsOf(filter, hole)];
  const { after } = filter;
  const byDue = filter.order === 'due';
  if (after !== undefined)
    where.push(
      byDue
        ? `(${DUE}, id) > (${hole(after.at)}, ${hole(after.id)}::uuid)`
        : `(created_at, id) < (${hole(after.at)}, ${hole(after.id)}::uuid)`,
    );
  const condition = where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`;
  const order = byDue ? `${DUE}, id` : 'created_at DESC, id DESC';
  const rows = await db.query<ReviewRow>(
    `SELECT ${REVIEW_COLUMNS} FROM review ${condition} ORDER BY ${order} LIMIT ${hole(filter.limit)}`,
    values,
  );
  return rows.map(toReview);
}

/** Where a page ends, for the next one. */
export const placeIn = (order: ReviewOrder, { id, createdAt, dueAt }: Review): Place => ({
  at: order === 'due' ? (dueAt ?? NEVER_DUE + createdAt) : createdAt,
  id,
});

function* conditionsOf(filter: ReviewFilter, hole: (value: unknown) => string): Generator<string> {
  const { states, queue, queues, view, scanId, workflowId, order } = filter;
  if (order === 'due') yield WAITS;
  if (states !== undefined) yield `state = ANY(${hole(states)})`;
  if (queue !== undefined) yield `queue = ${hole(queue)}`;
  if (queues !== undefined) yield `queue = ANY(${hole(queues)})`;
  if (scanId !== undefined) yield `scan_id = ${hole(scanId)}`;
  if (workflowId !== undefined) yield `workflow_id = ${hole(workflowId)}`;
  switch (view?.kind) {
    case undefined:
      return;
    case 'mine':
      yield `claimed_by = ${hole(view.personId)}`;
      return;
    case 'asked':
      yield WAITS;
      yield 'claimed_by IS NULL';
      yield `(asks = '{}' OR asks && ${hole([`user:${view.personId}`, ...view.groups.map((name) => `group:${name}`)])})`;
      yield `NOT (excluded::jsonb @> ${hole(JSON.stringify([{ id: view.personId }]))}::jsonb)`;
      return;
    case 'unassigned':
      yield WAITS;
      yield 'claimed_by IS NULL';
      return;
    case 'breached':
      yield WAITS;
      yield `due_at < ${hole(view.now)}`;
      return;
    default:
      view satisfies never;
  }
}
