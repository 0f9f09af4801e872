import type { Queryable } from '../../../database/queryable.js';
import type { WorkflowSearch } from '../../ports.js';
import { decodeCursor, isText } from '../../../cursor.js';
import type { WorkflowRow } from '../rows.js';

type Filter = Omit<WorkflowSearch, 'limit' | 'skip' | 'cursor'>;

const EXACT_UP_TO = 10_000;

/*
 * Every search walks an index that begins with what is asked for and goes on newest first, and stops when its page is
 * full. The planner, who does not know what is asked for, would rather walk all workflows, newest first, and look at
 * each: with a million of them that waited, "which have failed" took 1.5 s to find none.
 *
 * `column = ANY (ARRAY[$1])` is `column = $1`, but leaves the column in the order, and only one index has that order.
 * Several statuses are several walks, merged.
 */

/** Ids and times of the newest matches, at most `most` (a parameter); adds its own parameters to `values`. */
function newest(
  { cursor, ...filter }: Filter & { cursor?: string | undefined },
  values: unknown[],
  most: string,
) {
  const place = (value: unknown): string => `$${values.push(value)}`;
  const { workflowName, correlationId } = filter;
  const isWalkedByStatus =
    filter.status !== undefined && !filter.status.includes('COMPLETED') && correlationId === undefined;
  const first = [
    ...(correlationId === undefined ? [] : ['correlation_id']),
    ...(workflowName === undefined ? [] : ['name']),
    ...(isWalkedByStatus ? ['status'] : []),
  ][0];
  const clauses: string[] = [];
  const equals = (column: string, value: string): unknown =>
    clauses.push(column === first ? `${column} = ANY (ARRAY[${value}])` : `${column} = ${value}`);
  if (correlationId !== undefined) equals('correlation_id', place(correlationId));
  if (workflowName !== undefined) equals('name', place(workflowName));
  if (isWalkedByStatus) {
    equals('status', 'asked.status');
    // Implied, and what the indexes without the completed rows ask for.
    clauses.push(`status <> 'COMPLETED'`);
  } else if (filter.status !== undefined) clauses.push(`status = ANY (${place(filter.status)})`);
  if (filter.from !== undefined) clauses.push(`created_at >= ${place(filter.from)}`);
  if (filter.to !== undefined) clauses.push(`created_at < ${place(filter.to)}`);
  if (cursor !== undefined) {
    const { at, id } = decodeCursor(cursor, isText);
    clauses.push(`(created_at, id) < (${place(at)}, ${place(id)})`);
  }
  const where = clauses.length === 0 ? '' : `WHERE ${clauses.join(' AND ')}`;
  const walk = `SELECT id, created_at FROM workflow ${where}
    ORDER BY ${first === undefined ? '' : `${first}, `}created_at DESC, id DESC LIMIT ${most}`;
  if (!isWalkedByStatus) return walk;
  return `SELECT walk.* FROM unnest(${place([...new Set(filter.status)])}::text[]) AS asked (status)
    CROSS JOIN LATERAL (${walk}) AS walk ORDER BY created_at DESC, id DESC LIMIT ${most}`;
}

/** The statement of a page, and its parameters. */
export function pageStatement({ limit, skip = 0, ...query }: WorkflowSearch): {
  text: string;
  values: unknown[];
} {
  // One row more, which says that there is a next page.
  const values: unknown[] = [skip + limit + 1, skip];
  const text = `
    SELECT workflow.* FROM (
      SELECT id FROM (${newest(query, values, '$1')}) AS matches ORDER BY created_at DESC, id DESC OFFSET $2
    ) AS page JOIN workflow USING (id) ORDER BY created_at DESC, id DESC`;
  return { text, values };
}

/** One page, newest first, and one row more when there is a next page. */
export function searchWorkflows(db: Queryable, query: WorkflowSearch): Promise<WorkflowRow[]> {
  const { text, values } = pageStatement(query);
  return db.query<WorkflowRow>(text, values);
}

/** The statement that counts, and its parameters. */
export function countStatement(filter: Filter): { text: string; values: unknown[] } {
  const values: unknown[] = [EXACT_UP_TO];
  return { text: `SELECT count(*) AS n FROM (${newest(filter, values, '$1')}) AS found`, values };
}

/** Exact to 10,000. */
export async function countWorkflows(db: Queryable, filter: Filter): Promise<number> {
  const { text, values } = countStatement(filter);
  const [row] = await db.query<{ n: number }>(text, values);
  return row?.n ?? 0;
}
