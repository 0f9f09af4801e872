import type { Queryable } from '../../database/queryable.js';
import type { HumanTaskState } from '../orkes/human-task.view.js';
import { REVIEW_COLUMNS, toReview, type Review, type ReviewRow } from '../review.js';
import { WAITING_STATES } from '../rules/review.js';

/** Whom a search names: people by their ids, groups by name or a pattern of LIKE. */
export interface NamedInSearch {
  readonly personIds: readonly string[];
  /** As `group:NAME`; `%` stands for anything. */
  readonly groupPatterns: readonly string[];
}

export interface HumanTaskFilter {
  readonly states?: readonly HumanTaskState[] | undefined;
  /** Only of these queues; all when absent. */
  readonly queues?: readonly string[] | undefined;
  /** What this person has, or may take. */
  readonly inboxOf?: { readonly personId: string; readonly groups: readonly string[] } | undefined;
  readonly assignees?: NamedInSearch | undefined;
  readonly claimants?: NamedInSearch | undefined;
  readonly definitionNames?: readonly string[] | undefined;
  readonly displayNames?: readonly string[] | undefined;
  readonly taskRefNames?: readonly string[] | undefined;
  readonly workflowIds?: readonly string[] | undefined;
  readonly workflowNames?: readonly string[] | undefined;
  readonly text?: string | undefined;
  readonly updatedFrom?: number | undefined;
  readonly updatedUntil?: number | undefined;
  readonly start: number;
  readonly size: number;
}

const MAX_COUNTED = 10_000;
const WAITS = `state IN (${WAITING_STATES.map((state) => `'${state}'`).join(', ')})`;
const AT_WORK = `(${WAITS} AND state <> 'ASSIGNED' AND claimed_by IS NOT NULL)`;

const STATES: Readonly<Record<HumanTaskState, string>> = {
  PENDING: `(${WAITS} AND claimed_by IS NULL AND asks = '{}')`,
  ASSIGNED: `(state = 'ASSIGNED' OR (${WAITS} AND claimed_by IS NULL AND asks <> '{}'))`,
  IN_PROGRESS: AT_WORK,
  COMPLETED: `state IN ('COMPLETED', 'SKIPPED')`,
  TIMED_OUT: `state = 'EXPIRED'`,
  DELETED: `state = 'CANCELLED'`,
};

/** One page, the newest first, and how many there are in all (10,000 at most are counted). */
export async function searchHumanTasks(
  db: Queryable,
  filter: HumanTaskFilter,
): Promise<{ readonly reviews: readonly Review[]; readonly total: number }> {
  const values: unknown[] = [];
  const hole = (value: unknown): string => `$${values.push(value)}`;
  const where = [...conditionsOf(filter, hole)];
  const condition = where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`;
  const [counted] = await db.query<{ total: number }>(
    `SELECT count(*)::int AS total FROM (SELECT 1 FROM review ${condition} LIMIT ${MAX_COUNTED}) found`,
    [...values],
  );
  const rows = await db.query<ReviewRow>(
    `SELECT ${REVIEW_COLUMNS} FROM review ${condition}
      ORDER BY created_at DESC, id DESC LIMIT ${hole(filter.size)} OFFSET ${hole(filter.start)}`,
    values,
  );
  return { reviews: rows.map(toReview), total: counted?.total ?? 0 };
}

function* conditionsOf(filter: HumanTaskFilter, hole: (value: unknown) => string): Generator<string> {
  if (filter.states !== undefined) yield `(${filter.states.map((state) => STATES[state]).join(' OR ')})`;
  if (filter.queues !== undefined) yield `queue = ANY(${hole(filter.queues)})`;
  if (filter.inboxOf !== undefined) {
    const { personId, groups } = filter.inboxOf;
    const asked = hole([`user:${personId}`, ...groups.map((name) => `group:${name}`)]);
    yield `(claimed_by = ${hole(personId)} OR (claimed_by IS NULL AND (asks = '{}' OR asks && ${asked}))
            AND NOT (excluded::jsonb @> ${hole(JSON.stringify([{ id: personId }]))}::jsonb))`;
  }
  if (filter.assignees !== undefined) {
    const { personIds, groupPatterns } = filter.assignees;
    yield `((state = 'ASSIGNED' AND claimed_by = ANY(${hole(personIds)}))
            OR asks && ${hole(personIds.map((id) => `user:${id}`))}
            OR EXISTS (SELECT 1 FROM unnest(asks) one WHERE one LIKE ANY (${hole(groupPatterns)})))`;
  }
  if (filter.claimants !== undefined) {
    const ids = hole(filter.claimants.personIds);
    yield `((${AT_WORK} AND claimed_by = ANY(${ids})) OR decided_by = ANY(${ids}))`;
  }
  if (filter.definitionNames !== undefined) yield `task_def_name = ANY(${hole(filter.definitionNames)})`;
  if (filter.displayNames !== undefined) yield `title = ANY(${hole(filter.displayNames)})`;
  if (filter.taskRefNames !== undefined)
    yield `split_part(task_ref, '__', 1) = ANY(${hole(filter.taskRefNames)})`;
  if (filter.workflowIds !== undefined) yield `workflow_id = ANY(${hole(filter.workflowIds)})`;
  if (filter.workflowNames !== undefined) yield `workflow_name = ANY(${hole(filter.workflowNames)})`;
  if (filter.text !== undefined) {
    const pattern = hole(`%${likeText(filter.text)}%`);
    yield `(title ILIKE ${pattern} OR subject #>> '{object,ref,key}' ILIKE ${pattern})`;
  }
  if (filter.updatedFrom !== undefined) yield `updated_at >= ${hole(filter.updatedFrom)}`;
  if (filter.updatedUntil !== undefined) yield `updated_at < ${hole(filter.updatedUntil)}`;
}

/** Text that LIKE takes as it is. */
export const likeText = (plain: string): string => plain.replaceAll(/[\\%_]/g, '\\$&');

/** Titles of what waits, each once. */
export async function waitingTitles(
  db: Queryable,
  queues: readonly string[] | undefined,
  limit: number,
): Promise<string[]> {
  const rows = await db.query<{ title: string }>(
    `SELECT DISTINCT title FROM review WHERE ${WAITS} AND ($1::text[] IS NULL OR queue = ANY ($1))
      ORDER BY title LIMIT $2`,
    [queues ?? null, limit],
  );
  return rows.map(({ title }) => title);
}

/** The task of this reference in a workflow: of one iteration of its loop, or the latest. */
export async function taskByReference(
  db: Queryable,
  workflowId: string,
  reference: string,
  iteration: number | undefined,
): Promise<string | undefined> {
  const [row] = await db.query<{ task_id: string }>(
    `SELECT task_id FROM review
      WHERE workflow_id = $1 AND (task_ref = $2 OR split_part(task_ref, '__', 1) = $2)
        AND ($3::text IS NULL OR task_ref LIKE '%\\_\\_' || $3)
      ORDER BY created_at DESC, id DESC LIMIT 1`,
    [workflowId, reference, iteration === undefined ? null : String(iteration)],
  );
  return row?.task_id;
}
