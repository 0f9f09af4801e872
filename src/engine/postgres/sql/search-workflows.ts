import type { Queryable } from '../../../database/queryable.js';
import type { WorkflowSearch } from '../../ports.js';
import { decodeCursor, isText } from '../../../cursor.js';
import type { WorkflowRow } from '../rows.js';

type Filter = Omit<WorkflowSearch, 'limit' | 'cursor'>;

function conditions(query: Filter): { clauses: string[]; values: unknown[] } {
  const clauses: string[] = [];
  const values: unknown[] = [];
  const add = (clause: (parameter: string) => string, value: unknown): void => {
    if (value === undefined) return;
    values.push(value);
    clauses.push(clause(`$${values.length}`));
  };
  add((p) => `status = ANY (${p})`, query.status);
  // Implied by the line above, and lets the planner use the index without the completed rows.
  if (query.status !== undefined && !query.status.includes('COMPLETED'))
    clauses.push(`status <> 'COMPLETED'`);
  add((p) => `name = ${p}`, query.workflowName);
  add((p) => `correlation_id = ${p}`, query.correlationId);
  add((p) => `created_at >= ${p}`, query.from);
  add((p) => `created_at < ${p}`, query.to);
  return { clauses, values };
}

const where = (clauses: readonly string[]): string =>
  clauses.length === 0 ? '' : `WHERE ${clauses.join(' AND ')}`;

/** One page, newest first, and one row more when there is a next page. */
export function searchWorkflows(
  db: Queryable,
  { limit, cursor, ...filter }: WorkflowSearch,
): Promise<WorkflowRow[]> {
  const { clauses, values } = conditions(filter);
  if (cursor !== undefined) {
    const { at, id } = decodeCursor(cursor, isText);
    values.push(at, id);
    clauses.push(`(created_at, id) < ($${values.length - 1}, $${values.length})`);
  }
  values.push(limit + 1);
  return db.query<WorkflowRow>(
    `SELECT * FROM workflow ${where(clauses)} ORDER BY created_at DESC, id DESC LIMIT $${values.length}`,
    values,
  );
}

/** Exact to 10,000. */
export async function countWorkflows(db: Queryable, filter: Filter): Promise<number> {
  const { clauses, values } = conditions(filter);
  const [row] = await db.query<{ n: number }>(
    `SELECT count(*) AS n FROM (SELECT 1 FROM workflow ${where(clauses)} LIMIT 10000) AS found`,
    values,
  );
  return row?.n ?? 0;
}
