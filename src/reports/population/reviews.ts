import { column, NO_UUID, PAGE, paged, time, type Population } from './population.js';

interface Row {
  readonly id: string;
  readonly title: string;
  readonly queue: string;
  readonly task: string | null;
  readonly workflow: string | null;
  readonly workflow_version: number | null;
  readonly workflow_id: string;
  readonly object_id: string | null;
  readonly object: string | null;
  readonly uploader: string | null;
  readonly verdict: string | null;
  readonly reason: string | null;
  readonly risk: number | null;
  readonly subject_digest: string;
  readonly sha256: string | null;
  readonly state: string;
  readonly created_at: number;
  readonly taken_at: number | null;
  readonly claimed_by: string | null;
  readonly claimed_by_name: string | null;
  readonly due_at: number | null;
  readonly escalated: number;
  readonly round: number;
  readonly quorum_approve: number | null;
  readonly quorum_reject: number | null;
  readonly excluded: string | null;
  readonly outcome: string | null;
  readonly decided_at: number | null;
  readonly decided_by: string | null;
  readonly decided_by_name: string | null;
  readonly decided_via: string | null;
  readonly decided_method: string | null;
  readonly decision_reason: string | null;
  readonly completion: string | null;
  readonly cancelled_at: number | null;
  readonly cancel_reason: string | null;
}

const STATEMENT = `
  SELECT r.id, r.title, r.queue, coalesce(r.task_ref, r.task_def_name) AS task, coalesce(r.workflow_name, w.name) AS workflow,
         w.version AS workflow_version, r.workflow_id, r.object_id,
         (r.subject #>> '{object,ref,bucket}') || '/' || (r.subject #>> '{object,ref,key}') AS object,
         r.subject #>> '{object,uploader}' AS uploader, r.verdict, r.reason, r.risk, r.subject_digest,
         r.subject ->> 'sha256' AS sha256, r.state, r.created_at::float8, r.taken_at::float8, r.claimed_by,
         r.claimed_by_name, r.due_at::float8, r.escalated, r.round,
         (r.policy #>> '{quorum,approve}')::int AS quorum_approve, (r.policy #>> '{quorum,reject}')::int AS quorum_reject,
         (SELECT string_agg(concat(one->>'name', ' (', one->>'because', ')'), '; ')
            FROM json_array_elements(r.excluded) AS one) AS excluded,
         r.outcome, r.decided_at::float8, r.decided_by, r.decided_by_name, r.decided_via, r.decided_method,
         r.decision_reason, r.completion, r.cancelled_at::float8, r.cancel_reason
    FROM review r LEFT JOIN workflow w ON w.id = r.workflow_id COLLATE "C"
   WHERE r.created_at < $2 AND coalesce(r.decided_at, r.cancelled_at, $1) >= $1 AND (r.created_at, r.id) > ($3, $4)
   ORDER BY r.created_at, r.id LIMIT $5`;

/** Every question that was open at some moment of the time: those from before it, too, and those that still are. */
export const reviews: Population<Row> = {
  columns: [
    column('review_id', (row) => row.id),
    column('title', (row) => row.title),
    column('queue', (row) => row.queue),
    column('workflow', (row) => row.workflow),
    column('workflow_version', (row) => row.workflow_version),
    column('task', (row) => row.task),
    column('workflow_id', (row) => row.workflow_id),
    column('object_id', (row) => row.object_id),
    column('object', (row) => row.object),
    column('uploader', (row) => row.uploader),
    column('verdict', (row) => row.verdict),
    column('reason', (row) => row.reason),
    column('risk', (row) => row.risk),
    column('subject_digest', (row) => row.subject_digest),
    column('sha256', (row) => row.sha256),
    column('opened_at', (row) => time(row.created_at)),
    column('first_taken_at', (row) => time(row.taken_at)),
    column('due_at', (row) => time(row.due_at)),
    column('escalations', (row) => row.escalated),
    column('rounds', (row) => row.round),
    column('quorum_to_grant', (row) => row.quorum_approve ?? 1),
    column('quorum_to_refuse', (row) => row.quorum_reject ?? 1),
    column('may_not_decide', (row) => row.excluded),
    column('state_now', (row) => row.state),
    column('holder_now', (row) => row.claimed_by_name ?? row.claimed_by),
    column('outcome', (row) => row.outcome),
    column('decided_at', (row) => time(row.decided_at)),
    column('decided_by', (row) => row.decided_by_name ?? row.decided_by),
    column('decided_by_id', (row) => row.decided_by),
    column('via', (row) => row.decided_via),
    column('method', (row) => row.decided_method),
    column('decision_reason', (row) => row.decision_reason),
    column('completion', (row) => row.completion),
    column('cancelled_at', (row) => time(row.cancelled_at)),
    column('cancel_reason', (row) => row.cancel_reason),
  ],
  rows: (db, { from, to }) =>
    paged<Row>((after) =>
      db.query(STATEMENT, [from, to, after?.created_at ?? -1, after?.id ?? NO_UUID, PAGE]),
    ),
};
