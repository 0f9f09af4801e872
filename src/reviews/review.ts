import type { Instant } from '../clock.js';
import type { ActionMode } from '../s3/buckets.js';
import type { Handling } from './rules/outcome.js';
import { PLAIN_POLICY, type Policy } from './rules/policy.js';
import type { Decision, Excluded, Person, ReviewState, ReviewStanding, Via, Vote } from './rules/review.js';
import type { Subject } from './rules/subject.js';

/** A review as it is stored: its standing, and what people are shown. */
export interface Review extends ReviewStanding {
  readonly taskId: string;
  readonly workflowId: string;
  /** The task's reference in its workflow, `__N` behind it in a loop; absent in reviews of an earlier release, as the next two. */
  readonly taskRef?: string | undefined;
  readonly taskDefName?: string | undefined;
  readonly workflowName?: string | undefined;
  readonly scanId?: string | undefined;
  readonly title: string;
  readonly subject: Subject;
  /** The mode of the object's bucket now; absent where there is no such bucket. */
  readonly actionMode?: ActionMode | undefined;
  readonly completion?: 'pending' | 'applied' | 'late' | undefined;
  readonly completionNote?: string | undefined;
  /** Open ones about the same thing are in one case. */
  readonly caseId?: string | undefined;
  /** 0 to 100, see riskOf; absent in reviews of an earlier release. */
  readonly risk?: number | undefined;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

/** A row of the table `review` as pg returns it (bigint as text). */
export interface ReviewRow {
  readonly id: string;
  readonly task_id: string;
  readonly workflow_id: string;
  readonly scan_id: string | null;
  readonly title: string;
  readonly outcomes: string[];
  readonly subject: Subject;
  readonly subject_digest: string;
  readonly state: ReviewState;
  readonly version: number;
  readonly claimed_by: string | null;
  readonly claimed_by_name: string | null;
  readonly claimed_at: string | null;
  readonly outcome: string | null;
  readonly decided_by: string | null;
  readonly decided_by_name: string | null;
  readonly decided_at: string | null;
  readonly decided_via: Via | null;
  readonly decided_method: string | null;
  readonly decision_reason: string | null;
  readonly cancelled_at: string | null;
  readonly cancel_reason: string | null;
  readonly completion: 'pending' | 'applied' | 'late' | null;
  readonly completion_note: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly policy: Policy | null;
  readonly round: number;
  readonly escalated: number;
  readonly excluded: Excluded[];
  readonly owner_id: string | null;
  readonly owner_name: string | null;
  readonly due_at: string | null;
  readonly hold: ReviewStanding['hold'] | null;
  readonly info: ReviewStanding['info'] | null;
  readonly votes: Vote[];
  readonly action_mode: ActionMode | null;
  readonly task_ref: string | null;
  readonly task_def_name: string | null;
  readonly workflow_name: string | null;
  readonly case_id: string | null;
  readonly risk: number | null;
}

/** What {@link toReview} needs of the table `review`: its row, its votes, and how the object's bucket is handled. */
export const REVIEW_COLUMNS = `review.*, (
  SELECT coalesce(json_agg(json_build_object(
      'by', json_build_object('id', v.person_id, 'name', coalesce(v.person_name, v.person_id)),
      'onBehalfOf', CASE WHEN v.on_behalf_of IS NOT NULL
        THEN json_build_object('id', v.on_behalf_of, 'name', v.on_behalf_of_name) END,
      'outcome', v.outcome, 'reason', v.reason, 'at', v.at, 'via', v.via, 'method', v.method,
      'groups', v.groups, 'isOverride', v.is_override, 'form', v.form) ORDER BY v.at, v.person_id), '[]')
    FROM review_vote v WHERE v.review_id = review.id AND v.round = review.round AND v.withdrawn_at IS NULL
) AS votes, (
  SELECT b.action_mode FROM bucket b
   WHERE b.endpoint_id = review.subject #>> '{object,ref,endpointId}' AND b.name = review.subject #>> '{object,ref,bucket}'
) AS action_mode, (
  SELECT k.case_id FROM review_kin k WHERE k.review_id = review.id AND k.detached_at IS NULL
) AS case_id`;

export const toReview = (row: ReviewRow): Review => ({
  id: row.id,
  taskId: row.task_id,
  workflowId: row.workflow_id,
  taskRef: row.task_ref ?? undefined,
  taskDefName: row.task_def_name ?? undefined,
  workflowName: row.workflow_name ?? undefined,
  scanId: row.scan_id ?? undefined,
  title: row.title,
  outcomes: row.outcomes,
  subject: row.subject,
  actionMode: row.action_mode ?? undefined,
  subjectDigest: row.subject_digest,
  state: row.state,
  version: row.version,
  claim:
    row.claimed_by === null
      ? undefined
      : { by: personOf(row.claimed_by, row.claimed_by_name), at: Number(row.claimed_at) },
  policy: row.policy ?? PLAIN_POLICY,
  round: row.round,
  votes: row.votes.map(({ onBehalfOf, form, ...vote }) => ({
    ...vote,
    onBehalfOf: onBehalfOf ?? undefined,
    form: form ?? undefined,
  })),
  excluded: row.excluded,
  escalated: row.escalated,
  owner: row.owner_id === null ? undefined : personOf(row.owner_id, row.owner_name),
  dueAt: row.due_at === null ? undefined : Number(row.due_at),
  hold: row.hold ?? undefined,
  info: row.info ?? undefined,
  decision: decisionOf(row),
  cancelled:
    row.cancelled_at === null ? undefined : { at: Number(row.cancelled_at), reason: row.cancel_reason ?? '' },
  completion: row.completion ?? undefined,
  completionNote: row.completion_note ?? undefined,
  caseId: row.case_id ?? undefined,
  risk: row.risk ?? undefined,
  createdAt: Number(row.created_at),
  updatedAt: Number(row.updated_at),
});

function decisionOf(row: ReviewRow): Decision | undefined {
  if (row.outcome === null) return undefined;
  return {
    outcome: row.outcome,
    by: personOf(row.decided_by ?? '', row.decided_by_name),
    at: Number(row.decided_at),
    via: row.decided_via ?? 'system',
    method: row.decided_method ?? '',
    reason: row.decision_reason ?? '',
  };
}

const personOf = (id: string, name: string | null): Person => ({ id, name: name ?? id });

/** How the review's object is handled: what comes of an outcome depends on it. */
export const handlingOf = ({ actionMode, subject }: Review, dryRun: boolean): Handling => ({
  actionMode,
  quarantined: subject.quarantined,
  dryRun,
});
