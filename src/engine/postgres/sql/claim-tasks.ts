import type { Queryable } from '../../../database/queryable.js';
import type { TaskClaim } from '../../execution-store.js';
import { boundedMs, MAX_SECONDS } from '../../model/definition.js';
import type { TaskRow } from '../rows.js';
import { MAX_READ_BYTES, storedBytes } from './stored-bytes.js';

/** A timeout as its row holds it, within what a time can be added to: a claim takes many tasks or fails for all. */
export const boundedTimeout = (column: string): string =>
  `least(${column}, ${boundedMs(MAX_SECONDS)}::bigint)`;

export interface ClaimedRow extends TaskRow {
  readonly taker: number;
  readonly definition_digest: string;
  readonly traceparent: string | null;
  readonly revision_before: number;
}

/*
 * Locks the task and its workflow: the claim is a change of the workflow, and raises its revision like any other.
 * SKIP LOCKED on both means that a claim waits for nothing, so it can be in no deadlock. HUMAN tasks are IN_PROGRESS
 * before, the others become so.
 *
 * Ageing rewrites no row: the priorities that wait are found by jumps in the index, and where there is more than one
 * (seldom), their heads are merged by priority plus age in steps of $5. Inside a priority the order stays that of the
 * round robin: a task counts no older than those in front of it. The merge only says how many each priority gets; which
 * tasks these are is decided by what can be locked.
 *
 * What is handed out together is bounded by its values' size as well; the others stay for the next claim.
 *
 * A workflow with several of the tasks is raised once: an UPDATE changes a row once, however many rows it joins.
 */
export const CLAIM_TASKS = `
  WITH RECURSIVE level (priority) AS (
    SELECT max(priority) FROM task WHERE task_type = $1 AND queued AND due
    UNION ALL
    SELECT (SELECT max(t.priority) FROM task t
            WHERE t.task_type = $1 AND t.queued AND t.due AND t.priority < level.priority)
    FROM level WHERE level.priority IS NOT NULL
  ), share AS MATERIALIZED (
    SELECT max(priority) AS priority, cardinality($2::text[])::bigint AS size
    FROM level HAVING count(priority) = 1
    UNION ALL
    SELECT priority, count(*) FROM (
      SELECT priority FROM (
        SELECT level.priority, head.fair_tag,
          min(level.priority + ($4 - head.due_at) / $5::bigint)
            OVER (PARTITION BY level.priority ORDER BY head.fair_tag, head.seq) AS lifted
        FROM level CROSS JOIN LATERAL (
          SELECT t.fair_tag, t.seq, t.due_at FROM task t
          WHERE t.task_type = $1 AND t.queued AND t.due AND t.priority = level.priority
          ORDER BY t.fair_tag, t.seq LIMIT cardinality($2::text[])
        ) AS head
        WHERE (SELECT count(priority) FROM level) > 1
      ) AS merged
      ORDER BY lifted DESC, fair_tag LIMIT cardinality($2::text[])
    ) AS first GROUP BY priority
  ), waiting AS MATERIALIZED (
    SELECT head.* FROM share CROSS JOIN LATERAL (
      SELECT t.id, t.workflow_id, t.priority, t.fair_tag, t.seq, w.revision,
        (${storedBytes('t.input')})::int8 + ${storedBytes('t.output')} AS bytes
      FROM task t JOIN workflow w ON w.id = t.workflow_id
      WHERE t.task_type = $1 AND t.queued AND t.due AND t.priority = share.priority AND t.id <> ALL ($6::text[])
      ORDER BY t.fair_tag, t.seq LIMIT share.size
      FOR NO KEY UPDATE OF t, w SKIP LOCKED
    ) AS head
  ), numbered AS MATERIALIZED (
    SELECT * FROM (
      SELECT *, row_number() OVER before AS number, sum(bytes) OVER before - bytes AS bytes_before FROM waiting
      WINDOW before AS (ORDER BY priority DESC, fair_tag, seq ROWS UNBOUNDED PRECEDING)
    ) AS first WHERE bytes_before < ${MAX_READ_BYTES}
  ), raised AS (
    UPDATE workflow w SET revision = w.revision + 1 FROM numbered WHERE w.id = numbered.workflow_id
  ), claimed AS (
    UPDATE task t SET status = 'IN_PROGRESS', queued = false, due = false, changed_rev = numbered.revision + 1,
      worker_id = ($2::text[])[number], lease_owner = nullif(($3::text[])[number], ''),
      lease_until = $4 + CASE WHEN response_timeout_ms > 0 THEN ${boundedTimeout('response_timeout_ms')} ELSE 86400000 END,
      poll_count = poll_count + 1, callback_after_seconds = 0, started_at = coalesce(started_at, $4),
      updated_at = $4
    FROM numbered WHERE t.id = numbered.id
    RETURNING t.*, number - 1 AS taker, numbered.revision AS revision_before
  ), deadline AS (
    SELECT workflow_id, min(at) AS at FROM (
      SELECT workflow_id, started_at + ${boundedTimeout('execution_timeout_ms')} AS at FROM claimed WHERE execution_timeout_ms > 0
      UNION ALL
      SELECT workflow_id, $4 + ${boundedTimeout('response_timeout_ms')} FROM claimed
      WHERE response_timeout_ms > 0 AND lease_owner IS NULL
    ) AS each GROUP BY workflow_id
  ), armed AS (
    INSERT INTO workflow_timer AS timer (workflow_id, due_at) SELECT workflow_id, at FROM deadline
    ON CONFLICT (workflow_id) DO UPDATE SET due_at = excluded.due_at, claimed_by = NULL
      WHERE excluded.due_at < timer.due_at
  )
  SELECT claimed.*, p.definition_digest, p.traceparent
  FROM claimed JOIN workflow_payload p ON p.workflow_id = claimed.workflow_id ORDER BY taker`;

/** Leases up to one due task per taker, highest priority (with age) first. Others skip what we hold. */
export const claimTasks = (
  db: Queryable,
  { taskType, takers, now, ageingMs, except = [] }: TaskClaim,
): Promise<ClaimedRow[]> =>
  db.query<ClaimedRow>(CLAIM_TASKS, [
    taskType,
    takers.map(({ workerId }) => workerId),
    takers.map(({ owner }) => owner ?? ''),
    now,
    ageingMs,
    except,
  ]);
