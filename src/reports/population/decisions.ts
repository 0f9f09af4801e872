import type { Queryable } from '../../database/queryable.js';
import { column, NO_UUID, PAGE, paged, time, type Population, type Range } from './population.js';

/** A vote with the decision that it belongs to; the fields of the vote are empty where nobody voted. */
export interface DecisionRow {
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
  readonly subject_digest: string;
  readonly sha256: string | null;
  readonly state: string;
  readonly outcome: string;
  readonly created_at: number;
  readonly decided_at: number;
  readonly decided_by: string | null;
  readonly decided_by_name: string | null;
  readonly decided_via: string | null;
  readonly decided_method: string | null;
  readonly decision_reason: string | null;
  readonly due_at: number | null;
  readonly required: number;
  readonly reached: number;
  readonly vote_round: number;
  readonly vote_at: number;
  readonly vote_by: string;
  readonly vote_by_name: string | null;
  readonly vote_for: string | null;
  readonly vote_for_name: string | null;
  readonly vote_outcome: string | null;
  readonly vote_reason: string | null;
  readonly vote_via: string | null;
  readonly vote_method: string | null;
  readonly vote_digest: string | null;
  readonly vote_is_override: boolean | null;
  readonly vote_withdrawn_at: number | null;
}

const STATEMENT = `
  SELECT r.id, r.title, r.queue, coalesce(r.task_ref, r.task_def_name) AS task, coalesce(r.workflow_name, w.name) AS workflow,
         w.version AS workflow_version, r.workflow_id, r.object_id,
         (r.subject #>> '{object,ref,bucket}') || '/' || (r.subject #>> '{object,ref,key}') AS object,
         r.subject #>> '{object,uploader}' AS uploader, r.verdict, r.subject_digest, r.subject ->> 'sha256' AS sha256,
         r.state, r.outcome, r.created_at::float8, r.decided_at::float8, r.decided_by, r.decided_by_name, r.decided_via,
         r.decided_method, r.decision_reason, r.due_at::float8,
         coalesce((CASE WHEN coalesce((r.policy -> 'rejecting')::jsonb ? r.outcome, false)
                        THEN r.policy #>> '{quorum,reject}' ELSE r.policy #>> '{quorum,approve}' END)::int, 1) AS required,
         (SELECT count(DISTINCT a.person_id)::int FROM review_vote a
           WHERE a.review_id = r.id AND a.round = r.round AND a.outcome = r.outcome AND a.withdrawn_at IS NULL) AS reached,
         coalesce(v.round, 0) AS vote_round, coalesce(v.at, 0)::float8 AS vote_at, coalesce(v.person_id, '') AS vote_by,
         v.person_name AS vote_by_name, v.on_behalf_of AS vote_for, v.on_behalf_of_name AS vote_for_name,
         v.outcome AS vote_outcome, v.reason AS vote_reason, v.via AS vote_via, v.method AS vote_method,
         v.subject_digest AS vote_digest, v.is_override AS vote_is_override, v.withdrawn_at::float8 AS vote_withdrawn_at
    FROM review r LEFT JOIN review_vote v ON v.review_id = r.id LEFT JOIN workflow w ON w.id = r.workflow_id COLLATE "C"
   WHERE coalesce(r.decided_at, r.cancelled_at) >= $1 AND coalesce(r.decided_at, r.cancelled_at) < $2
     AND r.decided_at IS NOT NULL AND r.outcome IS NOT NULL
     AND (coalesce(r.decided_at, r.cancelled_at), r.id) >= ($3, $4)
     AND (coalesce(r.decided_at, r.cancelled_at), r.id, coalesce(v.round, 0), coalesce(v.at, 0), coalesce(v.person_id, ''))
         > ($3, $4, $5, $6, $7)
   ORDER BY coalesce(r.decided_at, r.cancelled_at), r.id, coalesce(v.round, 0), coalesce(v.at, 0), coalesce(v.person_id, '')
   LIMIT $8`;

const isVote = ({ vote_by }: DecisionRow): boolean => vote_by !== '';

/** Every decision of the time, a row a vote: one without a vote was made by the clock, or before votes were kept. */
export const decisions: Population<DecisionRow> = {
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
    column('subject_digest', (row) => row.subject_digest),
    column('sha256', (row) => row.sha256),
    column('state', (row) => row.state),
    column('outcome', (row) => row.outcome),
    column('opened_at', (row) => time(row.created_at)),
    column('due_at', (row) => time(row.due_at)),
    column('decided_at', (row) => time(row.decided_at)),
    column('elapsed_ms', (row) => row.decided_at - row.created_at),
    column('decided_by', (row) => row.decided_by_name ?? row.decided_by),
    column('decided_by_id', (row) => row.decided_by),
    column('via', (row) => row.decided_via),
    column('method', (row) => row.decided_method),
    column('reason', (row) => row.decision_reason),
    column('quorum_required', (row) => row.required),
    column('quorum_reached', (row) => row.reached),
    column('vote_round', (row) => (isVote(row) ? row.vote_round : null)),
    column('vote_by', (row) => (isVote(row) ? (row.vote_by_name ?? row.vote_by) : null)),
    column('vote_by_id', (row) => (isVote(row) ? row.vote_by : null)),
    column('vote_on_behalf_of', (row) => row.vote_for_name ?? row.vote_for),
    column('vote_on_behalf_of_id', (row) => row.vote_for),
    column('vote_outcome', (row) => row.vote_outcome),
    column('vote_reason', (row) => row.vote_reason),
    column('vote_via', (row) => row.vote_via),
    column('vote_method', (row) => row.vote_method),
    column('vote_at', (row) => (isVote(row) ? time(row.vote_at) : null)),
    column('vote_subject_digest', (row) => row.vote_digest),
    column('vote_is_override', (row) => row.vote_is_override),
    column('vote_withdrawn_at', (row) => time(row.vote_withdrawn_at)),
  ],
  rows: (db, { from, to }) =>
    paged<DecisionRow>((after) =>
      db.query(STATEMENT, [
        from,
        to,
        after?.decided_at ?? -1,
        after?.id ?? NO_UUID,
        after?.vote_round ?? -1,
        after?.vote_at ?? -1,
        after?.vote_by ?? '',
        PAGE,
      ]),
    ),
};

/** A decision as samples are drawn from them. */
export interface DecidedReview {
  readonly id: string;
  readonly outcome: string;
  readonly queue: string;
  readonly decidedAt: number;
}

/** Each decision of the time once. */
export const decidedReviews = (db: Queryable, { from, to }: Range): AsyncGenerator<DecidedReview> =>
  paged<DecidedReview>(
    (after) =>
      db.query(
        `SELECT r.id, r.outcome, r.queue, r.decided_at::float8 AS "decidedAt" FROM review r
          WHERE coalesce(r.decided_at, r.cancelled_at) >= $1 AND coalesce(r.decided_at, r.cancelled_at) < $2
            AND r.decided_at IS NOT NULL AND r.outcome IS NOT NULL
            AND (coalesce(r.decided_at, r.cancelled_at), r.id) > ($3, $4)
          ORDER BY coalesce(r.decided_at, r.cancelled_at), r.id LIMIT $5`,
        [from, to, after?.decidedAt ?? -1, after?.id ?? NO_UUID, 10 * PAGE],
      ),
    10 * PAGE,
  );
