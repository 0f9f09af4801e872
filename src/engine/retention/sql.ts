import type { Queryable } from '../../database/queryable.js';

/** One ended workflow that is older than its policy allows. */
export interface Expired {
  readonly id: string;
  readonly createdAt: number;
  readonly isExpired: boolean;
}

/** From one name to the next in the index: a million runs of one name cost one step. */
export const NAMES = `
  WITH RECURSIVE names (name) AS (
    SELECT min(name) FROM workflow
    UNION ALL
    SELECT (SELECT min(name) FROM workflow WHERE name > previous.name)
    FROM names AS previous WHERE previous.name IS NOT NULL
  ) SELECT name FROM names WHERE name IS NOT NULL`;

export const workflowNames = async (db: Queryable): Promise<readonly string[]> =>
  (await db.query<{ name: string }>(NAMES)).map(({ name }) => name);

/*
 * What ended before the cut-off was created before it, so the index of the executions list serves, and the hot path pays
 * for no other. Rows that stay (they run, are held or inside another workflow) are passed over once per round.
 */
export const NEXT_OF_NAME = `
  SELECT w.id, w.created_at::float8 AS "createdAt",
    coalesce(w.ended_at < $2, false)
      AND NOT EXISTS (SELECT 1 FROM workflow p WHERE p.id = w.parent_workflow_id)
      AND NOT EXISTS (SELECT 1 FROM workflow_inbox i WHERE i.source_workflow_id = w.id) AS "isExpired"
  FROM workflow w
  WHERE w.name = $1 AND w.created_at < $2 AND (w.created_at, w.id) > ($3, $4)
  ORDER BY w.created_at, w.id LIMIT $5`;

/** The next rows of one name that are old enough, oldest first, removable or not. */
export const nextOfName = (
  db: Queryable,
  name: string,
  before: number,
  after: { readonly createdAt: number; readonly id: string },
  limit: number,
): Promise<Expired[]> => db.query<Expired>(NEXT_OF_NAME, [name, before, after.createdAt, after.id, limit]);

export const CHILDREN = `
  SELECT w.id, w.parent_workflow_id AS parent, w.ended_at IS NOT NULL AS "hasEnded", w.ended_at AS "endedAt"
  FROM task t JOIN workflow w ON w.id = t.sub_workflow_id
  WHERE t.workflow_id = ANY ($1) AND t.sub_workflow_id IS NOT NULL`;

export interface Child {
  readonly id: string;
  readonly parent: string;
  readonly hasEnded: boolean;
}

/** Workflows that tasks of these started. */
export const childrenOf = (db: Queryable, ids: readonly string[]): Promise<Child[]> =>
  db.query<Child>(CHILDREN, [ids]);

/** Which of these have ended before a time. */
export const endedBefore = async (
  db: Queryable,
  ids: readonly string[],
  before: number,
): Promise<ReadonlySet<string>> => {
  const rows = await db.query<{ id: string }>(
    'SELECT id FROM workflow WHERE id = ANY ($1) AND ended_at < $2',
    [ids, before],
  );
  return new Set(rows.map(({ id }) => id));
};

/** Locks what is still ended and that nobody else is at. */
export const LOCK_ENDED = `
  SELECT id FROM workflow WHERE id = ANY ($1) AND ended_at IS NOT NULL ORDER BY id FOR UPDATE SKIP LOCKED`;

/** Everything that belongs to a workflow, row by row; `$1` is the list of ids. The workflow's own row goes last. */
export const REMOVALS: readonly (readonly [string, string])[] = [
  ['task_log', 'DELETE FROM task_log l USING task t WHERE t.workflow_id = ANY ($1) AND l.task_id = t.id'],
  ['task', 'DELETE FROM task WHERE workflow_id = ANY ($1)'],
  ['workflow_timer', 'DELETE FROM workflow_timer WHERE workflow_id = ANY ($1)'],
  ['applied_command', 'DELETE FROM applied_command WHERE workflow_id = ANY ($1)'],
  [
    'external_payload',
    `UPDATE external_payload SET state = 'doomed' WHERE workflow_id = ANY ($1) AND state <> 'doomed'`,
  ],
  ['workflow_payload', 'DELETE FROM workflow_payload WHERE workflow_id = ANY ($1)'],
  ['workflow_hold', 'DELETE FROM workflow_hold WHERE workflow_id = ANY ($1)'],
  ['workflow', 'DELETE FROM workflow WHERE id = ANY ($1)'],
];

/** Bounded: what one statement removes never holds up the commits beside it. */
export const PRUNE_POLLS = `
  DELETE FROM poll_data WHERE (queue_name, domain, worker_id) IN (
    SELECT queue_name, domain, worker_id FROM poll_data WHERE last_poll_at < $1 LIMIT $2)`;
export const PRUNE_INBOX = `
  DELETE FROM workflow_inbox WHERE id IN (
    SELECT id FROM workflow_inbox WHERE abandoned AND created_at < $1 LIMIT $2)`;
