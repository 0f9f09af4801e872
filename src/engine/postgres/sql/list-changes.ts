import type { Queryable } from '../../../database/queryable.js';
import type { StoredChange } from '../../execution-store.js';
import type { JsonObject } from '../../model/json.js';
import {
  leaseFacts,
  outputFacts,
  shortened,
  type TaskFacts,
  type WorkflowFacts,
} from '../../stream/facts.js';
import { leaseFrom, optional, type TaskRow, type WorkflowRow } from '../rows.js';

const LENGTH_OF_REASON = 501;

/*
 * One statement, so that a workflow and its tasks are of one moment. Payloads stay where they are, but for the small
 * output that says which way a SWITCH went.
 */
export const LIST_CHANGES = `
  SELECT known.since, w.id AS workflow_id, w.name, w.version, w.status AS workflow_status, w.revision,
    w.correlation_id, w.parent_workflow_id, w.parent_task_id, w.created_at AS workflow_created_at,
    w.updated_at AS workflow_updated_at, w.ended_at AS workflow_ended_at,
    left(w.reason, ${LENGTH_OF_REASON}) AS workflow_reason, w.failed_references[1:100] AS failed_references,
    t.id, t.ref, t.task_type, t.task_def_name, t.status, t.seq, t.retry_count, t.retried, t.iteration,
    t.poll_count, t.worker_id, t.lease_owner, t.lease_until, t.scheduled_at, t.started_at, t.updated_at, t.ended_at,
    t.queued, t.due_at, left(t.reason, ${LENGTH_OF_REASON}) AS reason,
    t.sub_workflow_id, CASE WHEN t.task_type = 'SWITCH' THEN t.output END AS output
  FROM unnest($1::text[], $2::bigint[]) AS known (id, since)
  JOIN workflow w ON w.id = known.id
  LEFT JOIN LATERAL (
    SELECT * FROM task WHERE workflow_id = known.id AND changed_rev > known.since LIMIT $3
  ) AS t ON true
  ORDER BY w.id, t.seq`;

export const REVISIONS = 'SELECT id, revision FROM workflow WHERE id = ANY ($1)';

type ChangedTaskRow = Pick<
  TaskRow,
  | 'ref'
  | 'task_type'
  | 'task_def_name'
  | 'status'
  | 'seq'
  | 'retry_count'
  | 'retried'
  | 'iteration'
  | 'poll_count'
  | 'worker_id'
  | 'lease_owner'
  | 'lease_until'
  | 'scheduled_at'
  | 'started_at'
  | 'updated_at'
  | 'ended_at'
  | 'queued'
  | 'due_at'
  | 'reason'
  | 'sub_workflow_id'
> & { readonly output: JsonObject | null };

type ChangeRow = Pick<
  WorkflowRow,
  | 'name'
  | 'version'
  | 'revision'
  | 'correlation_id'
  | 'parent_workflow_id'
  | 'parent_task_id'
  | 'failed_references'
> &
  ChangedTaskRow & {
    readonly since: number;
    readonly workflow_id: string;
    readonly workflow_status: WorkflowRow['status'];
    readonly workflow_created_at: number;
    readonly workflow_updated_at: number;
    readonly workflow_ended_at: number | null;
    readonly workflow_reason: string | null;
    /** `null`: no task changed. */
    readonly id: string | null;
  };

/** What changed in these workflows after the given revisions; no tasks where more than `maxTasks` changed. */
export async function listChanges(
  db: Queryable,
  known: readonly { workflowId: string; since: number }[],
  maxTasks: number,
): Promise<readonly StoredChange[]> {
  const rows = await db.query<ChangeRow>(LIST_CHANGES, [
    known.map(({ workflowId }) => workflowId),
    known.map(({ since }) => since),
    maxTasks + 1,
  ]);
  const groups = new Map<string, { first: ChangeRow; tasks: TaskFacts[] }>();
  for (const row of rows) {
    const group = groups.get(row.workflow_id) ?? { first: row, tasks: [] };
    if (row.id !== null) group.tasks.push(taskFrom(row, row.id));
    groups.set(row.workflow_id, group);
  }
  return [...groups.values()].map(({ first, tasks }) => ({
    since: first.since,
    workflow: workflowFrom(first),
    tasks: tasks.length > maxTasks ? undefined : tasks,
  }));
}

/** The revisions of these workflows; unknown ones are left out. */
export async function revisionsOf(
  db: Queryable,
  workflowIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await db.query<{ id: string; revision: number }>(REVISIONS, [workflowIds]);
  return new Map(rows.map(({ id, revision }) => [id, revision]));
}

const workflowFrom = (row: ChangeRow): WorkflowFacts => ({
  workflowId: row.workflow_id,
  workflowName: row.name,
  workflowVersion: row.version,
  status: row.workflow_status,
  revision: row.revision,
  correlationId: optional(row.correlation_id),
  parentWorkflowId: optional(row.parent_workflow_id),
  parentWorkflowTaskId: optional(row.parent_task_id),
  createTime: row.workflow_created_at,
  updateTime: row.workflow_updated_at,
  endTime: optional(row.workflow_ended_at),
  reasonForIncompletion: shortened(optional(row.workflow_reason)),
  failedReferenceTaskNames: row.failed_references,
});

const taskFrom = (row: ChangedTaskRow, taskId: string): TaskFacts => ({
  taskId,
  referenceTaskName: row.ref,
  taskType: row.task_type,
  taskDefName: row.task_def_name,
  status: row.status,
  seq: row.seq,
  retryCount: row.retry_count,
  retried: row.retried,
  iteration: row.iteration,
  pollCount: row.poll_count,
  workerId: optional(row.worker_id),
  lease: leaseFacts(leaseFrom(row)),
  scheduledTime: row.scheduled_at,
  startTime: optional(row.started_at),
  updateTime: row.updated_at,
  endTime: optional(row.ended_at),
  queued: row.queued,
  dueAt: row.due_at,
  reasonForIncompletion: shortened(optional(row.reason)),
  subWorkflowId: optional(row.sub_workflow_id),
  ...outputFacts(row.task_type, row.output ?? {}),
});
