import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { Policy } from '../../reviews/rules/policy.js';
import type { Excluded } from '../../reviews/rules/review.js';
import type { Asked } from './section.js';

/** One vote as it is stored, also of earlier rounds and taken back. */
export interface VoteFacts {
  readonly round: number;
  readonly by: string;
  readonly name: string;
  readonly onBehalfOf: string | null;
  readonly onBehalfOfName: string | null;
  readonly outcome: string;
  readonly reason: string;
  readonly subjectDigest: string;
  readonly via: string;
  readonly method: string;
  readonly at: Instant;
  readonly groups: readonly string[];
  readonly isOverride: boolean;
  readonly withdrawnAt: Instant | null;
  /** Who it was given for had said so: an absence with this substitute that held then. */
  readonly isSubstitute: boolean;
  /** Who was asked handed the review on to them, by name. */
  readonly wasGiven: boolean;
}

/** A decision with everything that it is checked by. */
export interface DecisionFacts {
  readonly id: string;
  readonly state: 'COMPLETED' | 'EXPIRED' | 'SKIPPED';
  readonly title: string;
  readonly queue: string;
  readonly workflow: string;
  readonly workflowVersion: number | null;
  readonly taskRef: string | null;
  readonly object: string | null;
  readonly subjectDigest: string;
  readonly sha256: string | null;
  readonly uploader: string | null;
  readonly policy: Policy | null;
  readonly excluded: readonly Excluded[];
  readonly round: number;
  readonly outcome: string;
  readonly decidedBy: string;
  readonly decidedByName: string;
  readonly decidedAt: Instant;
  readonly via: string;
  readonly method: string;
  readonly reason: string;
  readonly createdAt: Instant;
  readonly dueAt: Instant | null;
  readonly escalated: number;
  readonly votes: readonly VoteFacts[];
}

const COLUMNS = `r.id, r.state, r.title, r.queue, coalesce(r.workflow_name, w.name, '') AS workflow,
  w.version AS "workflowVersion", r.task_ref AS "taskRef",
  CASE WHEN r.subject #> '{object,ref}' IS NOT NULL
    THEN (r.subject #>> '{object,ref,bucket}') || '/' || (r.subject #>> '{object,ref,key}') END AS object,
  r.subject_digest AS "subjectDigest", r.subject ->> 'sha256' AS sha256, r.subject #>> '{object,uploader}' AS uploader,
  r.policy, r.excluded, r.round, r.outcome, coalesce(r.decided_by, '') AS "decidedBy",
  coalesce(r.decided_by_name, r.decided_by, '') AS "decidedByName", r.decided_at::float8 AS "decidedAt",
  coalesce(r.decided_via, 'system') AS via, coalesce(r.decided_method, '') AS method,
  coalesce(r.decision_reason, '') AS reason, r.created_at::float8 AS "createdAt", r.due_at::float8 AS "dueAt", r.escalated,
  (SELECT coalesce(json_agg(json_build_object(
      'round', v.round, 'by', v.person_id, 'name', coalesce(v.person_name, v.person_id), 'onBehalfOf', v.on_behalf_of,
      'onBehalfOfName', v.on_behalf_of_name, 'outcome', v.outcome, 'reason', v.reason, 'subjectDigest', v.subject_digest,
      'via', v.via, 'method', v.method, 'at', v.at, 'groups', v.groups, 'isOverride', v.is_override,
      'withdrawnAt', v.withdrawn_at, 'isSubstitute', v.on_behalf_of IS NOT NULL AND EXISTS (
        SELECT FROM review_absence a WHERE a.person_id = v.on_behalf_of AND a.substitute_id = v.person_id
          AND a.from_at <= v.at AND a.to_at > v.at),
      'wasGiven', EXISTS (
        SELECT FROM review_event g WHERE g.review_id = r.id AND g.kind IN ('reassigned', 'delegated')
          AND g.at <= v.at AND g.data #>> '{to,id}' = v.person_id)
    ) ORDER BY v.round, v.at, v.person_id), '[]')
     FROM review_vote v WHERE v.review_id = r.id) AS votes`;

const PAGE = 500;

/** Every decision of the period, the oldest first, page by page. */
export async function* decisionsIn({ tx, from, to }: Asked): AsyncGenerator<readonly DecisionFacts[]> {
  let place: { readonly at: Instant; readonly id: string } | undefined;
  for (;;) {
    const rows = await tx.query<DecisionFacts>(
      `SELECT ${COLUMNS} FROM review r LEFT JOIN workflow w ON w.id = r.workflow_id
        WHERE coalesce(r.decided_at, r.cancelled_at) >= $1 AND coalesce(r.decided_at, r.cancelled_at) < $2
          AND r.outcome IS NOT NULL
          AND ($3::bigint IS NULL OR (r.decided_at, r.id) > ($3, $4::uuid))
        ORDER BY r.decided_at, r.id LIMIT $5`,
      [from, to, place?.at ?? null, place?.id ?? null, PAGE],
    );
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    place = { at: last.decidedAt, id: last.id };
  }
}

/** These decisions alone, the oldest first. */
export const decisionsById = (tx: Queryable, ids: readonly string[]): Promise<DecisionFacts[]> =>
  tx.query<DecisionFacts>(
    `SELECT ${COLUMNS} FROM review r LEFT JOIN workflow w ON w.id = r.workflow_id
      WHERE r.id = ANY ($1::uuid[]) AND r.outcome IS NOT NULL ORDER BY r.decided_at, r.id`,
    [ids],
  );
