import type { Instant } from '../../clock.js';
import type { Place } from '../../cursor.js';
import type { Queryable } from '../../database/queryable.js';
import { REVIEW_COLUMNS, toReview, type Review, type ReviewRow } from '../review.js';
import { WAITING_STATES, type ReviewState } from '../rules/review.js';
import { OTHER_RISK, VERDICT_RISK, verdictRisk } from '../rules/risk.js';
import { matches } from './search.js';

/** Whose a review is, as an inbox asks. */
export type InboxView =
  /** This person has it. */
  | { readonly kind: 'mine'; readonly personId: string }
  /** Nobody has it, and it asks this person or one of their groups. */
  | { readonly kind: 'asked'; readonly personId: string; readonly groups: readonly string[] }
  | { readonly kind: 'unassigned' }
  /** It is past its deadline. */
  | { readonly kind: 'breached'; readonly now: Instant };

/** Newest first, or what is due or gravest first; the latter two list only what waits. */
export const REVIEW_ORDERS = ['created', 'due', 'risk'] as const;
export type ReviewOrder = (typeof REVIEW_ORDERS)[number];

export interface ReviewFilter {
  readonly states?: readonly ReviewState[] | undefined;
  readonly queue?: string | undefined;
  /** Only these; all when absent. */
  readonly queues?: readonly string[] | undefined;
  readonly view?: InboxView | undefined;
  readonly scanId?: string | undefined;
  readonly workflowId?: string | undefined;
  /** As `searchQuery` made it. */
  readonly search?: string | undefined;
  readonly order: ReviewOrder;
  /** Strictly behind this row in that order. */
  readonly after?: Place | undefined;
  readonly limit: number;
}

// What has no deadline comes behind what has one, the oldest first. The indexes have the same.
const NEVER_DUE = 4_000_000_000_000_000;
const DUE = `coalesce(due_at, ${NEVER_DUE} + created_at)`;
// The gravest first, and of those the oldest: one number, so that a page begins behind one.
const RISK_STEP = 10_000_000_000_000;
const RISK = `coalesce(risk, CASE verdict ${Object.entries(VERDICT_RISK)
  .map(([verdict, risk]) => `WHEN '${verdict}' THEN ${risk}`)
  .join(' ')} ELSE ${OTHER_RISK} END)`;
const RANK = `((100 - ${RISK}) * ${RISK_STEP} + created_at)`;
// Written out, so that the partial indexes serve.
const WAITS = `state IN (${WAITING_STATES.map((state) => `'${state}'`).join(', ')})`;

/** What an order goes up by; undefined: by the newest, down. */
const RISING: Readonly<Record<ReviewOrder, string | undefined>> = {
  created: undefined,
  due: DUE,
  risk: RANK,
};

/** One page of reviews. */
export async function listReviews(db: Queryable, filter: ReviewFilter): Promise<Review[]> {
  const values: unknown[] = [];
  const hole = (value: unknown): string => `$${values.push(value)}`;
  const where = [...conditionsOf(filter, hole)];
  const { after } = filter;
  const rising = RISING[filter.order];
  if (after !== undefined)
    where.push(
      rising === undefined
        ? `(created_at, id) < (${hole(after.at)}, ${hole(after.id)}::uuid)`
        : `(${rising}, id) > (${hole(after.at)}, ${hole(after.id)}::uuid)`,
    );
  const condition = where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`;
  const order = rising === undefined ? 'created_at DESC, id DESC' : `${rising}, id`;
  const rows = await db.query<ReviewRow>(
    `SELECT ${REVIEW_COLUMNS} FROM review ${condition} ORDER BY ${order} LIMIT ${hole(filter.limit)}`,
    values,
  );
  return rows.map(toReview);
}

/** Where a page ends, for the next one. */
export function placeIn(order: ReviewOrder, { id, createdAt, dueAt, risk, subject }: Review): Place {
  switch (order) {
    case 'created':
      return { at: createdAt, id };
    case 'due':
      return { at: dueAt ?? NEVER_DUE + createdAt, id };
    case 'risk':
      return { at: (100 - (risk ?? verdictRisk(subject.verdict ?? ''))) * RISK_STEP + createdAt, id };
    default:
      return order satisfies never;
  }
}

function* conditionsOf(filter: ReviewFilter, hole: (value: unknown) => string): Generator<string> {
  const { states, queue, queues, view, scanId, workflowId, order } = filter;
  if (RISING[order] !== undefined) yield WAITS;
  if (states !== undefined) yield `state = ANY(${hole(states)})`;
  if (queue !== undefined) yield `queue = ${hole(queue)}`;
  if (queues !== undefined) yield `queue = ANY(${hole(queues)})`;
  if (filter.search !== undefined) yield matches(hole(filter.search));
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
