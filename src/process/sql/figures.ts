import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { StepFigures, WorkflowFigures } from '../figures.js';

export interface Span {
  readonly from: Instant;
  readonly to: Instant;
  readonly workflow?: string | undefined;
}

type Derived =
  | 'failureRate'
  | 'queueSeconds'
  | 'runSeconds'
  | 'personSeconds'
  | 'personWorkingSeconds'
  | 'costliestStep'
  | 'steps';
export type WorkflowRow = Omit<WorkflowFigures, Derived>;

export type StepRow = Omit<StepFigures, 'personWorkingSeconds'> & {
  readonly workflow: string;
  readonly version: number;
};

// Dynamic forks name their steps as they like.
const MOST_STEPS = 2_000;
const MOST_FAILURES = 100_000;

/** Read off the index alone. */
export async function countStarted(db: Queryable, { from, to, workflow }: Span): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM workflow WHERE created_at >= $1 AND created_at < $2${ofName(workflow, 3)}`,
    given([from, to], workflow),
  );
  return row?.count ?? 0;
}

/** One in so many, by the id: chosen as even as ids are, and the same each time. Read off the index alone, too. */
export async function sampled(
  db: Queryable,
  { from, to, workflow, oneIn }: Span & { readonly oneIn: number },
): Promise<readonly string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT id FROM workflow WHERE created_at >= $1 AND created_at < $2
        AND (hashtext(id) & 2147483647) % $3 = 0${ofName(workflow, 4)}`,
    given([from, to, oneIn], workflow),
  );
  return rows.map(({ id }) => id);
}

const ofName = (workflow: string | undefined, at: number): string =>
  workflow === undefined ? '' : ` AND name = $${at}`;
const given = (values: readonly unknown[], workflow: string | undefined): readonly unknown[] =>
  workflow === undefined ? values : [...values, workflow];

/** How they went; failures are those of the span, all of them, however few were chosen. */
export const workflowRows = (
  db: Queryable,
  { from, to, workflow, now }: Span & { readonly now: Instant },
  ids: readonly string[],
): Promise<WorkflowRow[]> =>
  db.query<WorkflowRow>(
    `WITH sla AS (
       SELECT name, version, (definition #>> '{metadata,slaSeconds}')::float8 AS seconds FROM workflow_def
        WHERE json_typeof(definition #> '{metadata,slaSeconds}') = 'number'
     ), w AS MATERIALIZED (
       SELECT w.id, w.name, w.version, w.status, w.created_at, w.ended_at, sla.seconds AS sla,
              coalesce(w.ended_at, greatest($4::bigint, w.created_at)) - w.created_at AS took
         FROM unnest($1::text[]) AS c(id) JOIN workflow w ON w.id = c.id
         LEFT JOIN sla ON sla.name = w.name AND sla.version = w.version
     ), failure AS (
       SELECT id, name, version, ended_at FROM workflow
        WHERE status IN ('FAILED', 'TIMED_OUT') AND created_at >= $2 AND created_at < $3 AND ended_at IS NOT NULL${ofName(workflow, 5)}
        ORDER BY created_at DESC, id DESC LIMIT ${MOST_FAILURES}
     ), gap AS (
       SELECT name, version, CASE WHEN count(*) > 1
              THEN (max(ended_at) - min(ended_at)) / 1000.0 / (count(*) - 1) END AS mean
         FROM failure GROUP BY name, version
     ), ends AS (
       SELECT id, name, version, ended_at, false AS ok FROM failure
       UNION ALL SELECT id, name, version, ended_at, true FROM w WHERE status = 'COMPLETED'
     ), outage AS (
       SELECT name, version, ended_at, NOT ok AND coalesce(lag(ok) OVER each, true) AS begins,
              min(ended_at) FILTER (WHERE ok) OVER (PARTITION BY name, version ORDER BY ended_at, ok, id
                ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS over_at
         FROM ends WINDOW each AS (PARTITION BY name, version ORDER BY ended_at, ok, id)
     ), recovery AS (
       SELECT name, version, avg(over_at - ended_at) / 1000.0 AS mean FROM outage
        WHERE begins AND over_at IS NOT NULL GROUP BY name, version
     ), figures AS (
       SELECT name, version, count(*)::int AS started,
              count(*) FILTER (WHERE status = 'COMPLETED')::int AS completed,
              count(*) FILTER (WHERE status IN ('FAILED', 'TIMED_OUT'))::int AS failed,
              count(*) FILTER (WHERE status = 'TERMINATED')::int AS terminated,
              count(*) FILTER (WHERE status IN ('RUNNING', 'PAUSED'))::int AS open,
              percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY took)
                FILTER (WHERE status = 'COMPLETED') AS p,
              max(sla) AS sla,
              count(*) FILTER (WHERE status = 'COMPLETED' AND took <= sla * 1000)::int AS within,
              count(*) FILTER (WHERE status IN ('FAILED', 'TIMED_OUT')
                OR (status <> 'TERMINATED' AND took > sla * 1000))::int AS beyond
         FROM w GROUP BY name, version
     )
     SELECT f.name AS workflow, f.version, f.started, f.completed, f.failed, f.terminated, f.open,
            f.p[1] / 1000 AS "p50Seconds", f.p[2] / 1000 AS "p90Seconds", f.sla AS "slaSeconds",
            CASE WHEN f.sla IS NOT NULL THEN f.within END AS "withinSla",
            CASE WHEN f.sla IS NOT NULL THEN f.beyond END AS "beyondSla",
            gap.mean::float8 AS "meanSecondsBetweenFailures", recovery.mean::float8 AS "meanSecondsToRecovery"
       FROM figures f LEFT JOIN gap USING (name, version) LEFT JOIN recovery USING (name, version)
      ORDER BY f.name, f.version`,
    given([ids, from, to, now], workflow),
  );

const CONTROL = [
  'FORK_JOIN',
  'FORK_JOIN_DYNAMIC',
  'JOIN',
  'EXCLUSIVE_JOIN',
  'SWITCH',
  'DECISION',
  'DO_WHILE',
];
const KIND = `CASE t.task_type WHEN 'HUMAN' THEN 'person' WHEN 'WAIT' THEN 'wait'
  WHEN 'SUB_WORKFLOW' THEN 'child' ELSE 'worker' END`;

/** The steps that cost most, of attempts that ended; what only leads from one to the next takes no time of its own. */
export async function stepRows(
  db: Queryable,
  ids: readonly string[],
): Promise<{ readonly rows: StepRow[]; readonly isCut: boolean }> {
  const rows = await db.query<StepRow>(
    `WITH t AS (
       SELECT w.name, w.version, split_part(t.ref, '__', 1) AS step, t.task_type, ${KIND} AS kind,
              t.status NOT IN ('COMPLETED', 'SKIPPED', 'CANCELED') AS failed,
              greatest(0, least(coalesce(t.started_at, t.ended_at), t.ended_at) - t.scheduled_at) / 1000.0 AS queue,
              CASE WHEN t.started_at IS NULL THEN 0 ELSE greatest(0, t.ended_at - greatest(t.started_at, t.scheduled_at)) END / 1000.0 AS run,
              greatest(0, t.ended_at - t.scheduled_at) / 1000.0 AS whole
         FROM unnest($1::text[]) AS c(id) JOIN workflow w ON w.id = c.id JOIN task t ON t.workflow_id = c.id
        WHERE t.ended_at IS NOT NULL AND t.task_type <> ALL ($2::text[])
     )
     SELECT name AS workflow, version, step, task_type AS "taskType", kind, count(*)::int AS attempts,
            count(*) FILTER (WHERE failed)::int AS failed,
            coalesce(sum(queue) FILTER (WHERE kind = 'worker'), 0)::float8 AS "queueSeconds",
            coalesce(sum(run) FILTER (WHERE kind = 'worker'), 0)::float8 AS "runSeconds",
            coalesce(sum(whole) FILTER (WHERE kind = 'person'), 0)::float8 AS "personSeconds",
            coalesce(sum(whole) FILTER (WHERE kind IN ('wait', 'child')), 0)::float8 AS "waitSeconds",
            percentile_cont(0.5) WITHIN GROUP (ORDER BY whole) AS "p50Seconds",
            percentile_cont(0.9) WITHIN GROUP (ORDER BY whole) AS "p90Seconds"
       FROM t GROUP BY name, version, step, task_type, kind
      ORDER BY sum(whole) FILTER (WHERE kind IN ('worker', 'person')) DESC NULLS LAST, name, version, step, task_type
      LIMIT ${MOST_STEPS + 1}`,
    [ids, CONTROL],
  );
  return { rows: rows.slice(0, MOST_STEPS), isCut: rows.length > MOST_STEPS };
}
