import type { Queryable } from '../../../database/queryable.js';
import type { Estimate, StoreReadings } from '../../execution-store.js';

const EXACT_UP_TO = 10_000;
const MAX_OTHER_TYPES = 200;
// Types with more than this share MAX_COUNTED rows: 300,000 tasks of 300 types took a second to count to 10,000 each.
const FEW = 100;
const MAX_COUNTED = 40_000;

/** The next type is looked up in the index, never all rows of one; each is counted as far as its share goes. */
export const READ_QUEUES = `
  WITH RECURSIVE found (name, n) AS (
    SELECT (SELECT task_type FROM task WHERE queued AND due ORDER BY task_type LIMIT 1), 1
    UNION ALL
    SELECT (SELECT task_type FROM task WHERE queued AND due AND task_type > found.name
            ORDER BY task_type LIMIT 1), n + 1
    FROM found WHERE name IS NOT NULL AND n < $2
  ), wanted AS (
    SELECT name FROM found WHERE name IS NOT NULL UNION SELECT unnest($1::text[])
  ), sized AS MATERIALIZED (
    SELECT name, (
      SELECT count(*) FROM (
        SELECT FROM task WHERE task_type = name AND queued AND due LIMIT ${FEW + 1}) AS first
    ) AS size FROM wanted
  ), share AS MATERIALIZED (
    SELECT greatest(${FEW + 1}, least($3, ${MAX_COUNTED} / greatest(count(*), 1))) AS size
    FROM sized WHERE size > ${FEW}
  )
  SELECT name, waiting, oldest FROM sized CROSS JOIN share CROSS JOIN LATERAL (
    SELECT count(*) AS waiting, min(due_at) AS oldest
    FROM (SELECT due_at FROM task WHERE task_type = name AND queued AND due
          LIMIT CASE WHEN sized.size > ${FEW} THEN share.size ELSE ${FEW} END) AS first
  ) AS queue`;

/** The second condition lets the planner use the index without the completed rows; the order lets it use no other. */
export const READ_STATES = `
  SELECT
    (SELECT count(*) FROM (
      SELECT FROM workflow WHERE status = ANY (ARRAY['RUNNING']) AND status <> 'COMPLETED' ORDER BY status LIMIT $1) AS running) AS running,
    (SELECT count(*) FROM (
      SELECT FROM workflow WHERE status = ANY (ARRAY['PAUSED']) AND status <> 'COMPLETED' ORDER BY status LIMIT $1) AS paused) AS paused,
    (SELECT count(*) FROM (
      SELECT FROM workflow_inbox WHERE claimed_by IS NULL AND NOT abandoned ORDER BY due_at LIMIT $1) AS inbox) AS inbox,
    (SELECT due_at FROM workflow_inbox WHERE claimed_by IS NULL AND NOT abandoned ORDER BY due_at LIMIT 1) AS inbox_oldest,
    (SELECT due_at FROM workflow_timer WHERE claimed_by IS NULL ORDER BY due_at LIMIT 1) AS next_timer`;

interface States {
  readonly running: number;
  readonly paused: number;
  readonly inbox: number;
  readonly inbox_oldest: number | null;
  readonly next_timer: number | null;
}

/** What /metrics shows of the tables: a handful of index scans, each bounded. */
export async function readings(db: Queryable, taskTypes: readonly string[]): Promise<StoreReadings> {
  const [states] = await db.query<States>(READ_STATES, [EXACT_UP_TO + 1]);
  const queues = await db.query<{ name: string; waiting: number; oldest: number | null }>(READ_QUEUES, [
    taskTypes,
    MAX_OTHER_TYPES,
    EXACT_UP_TO,
  ]);
  return {
    running: await estimate(db, 'RUNNING', states?.running ?? 0),
    paused: await estimate(db, 'PAUSED', states?.paused ?? 0),
    queues: queues.map(({ name, waiting, oldest }) => ({
      taskType: name,
      waiting,
      oldestDueAt: oldest ?? undefined,
    })),
    inbox: {
      waiting: Math.min(states?.inbox ?? 0, EXACT_UP_TO),
      oldestAt: states?.inbox_oldest ?? undefined,
    },
    nextTimerAt: states?.next_timer ?? undefined,
  };
}

async function estimate(db: Queryable, status: 'RUNNING' | 'PAUSED', counted: number): Promise<Estimate> {
  if (counted <= EXACT_UP_TO) return { count: counted, isEstimate: false };
  const [row] = await db.query<{ 'QUERY PLAN': readonly { Plan: { 'Plan Rows': number } }[] }>(
    `EXPLAIN (FORMAT JSON) SELECT FROM workflow WHERE status = '${status}'`,
  );
  return { count: Math.max(counted, row?.['QUERY PLAN'][0]?.Plan['Plan Rows'] ?? 0), isEstimate: true };
}
