import type { Queryable } from '../../../database/queryable.js';
import type { JsonObject } from '../../model/json.js';
import type { WorkflowRow } from '../rows.js';

export interface LoadedWorkflowRow extends WorkflowRow {
  readonly workflow_id: string;
  readonly definition_digest: string;
  /** A text refers to the payload store. */
  readonly input: JsonObject | string;
  readonly output: JsonObject | string;
  readonly variables: JsonObject;
  readonly traceparent: string | null;
  readonly timer_at: number | null;
}

const STATEMENT = `
  SELECT w.*, p.*, timer.due_at AS timer_at
  FROM workflow w JOIN workflow_payload p ON p.workflow_id = w.id
  LEFT JOIN workflow_timer timer ON timer.workflow_id = w.id
  WHERE w.id = ANY ($1)`;

/** Workflows with inputs, outputs, variables and deadline. */
export const loadWorkflows = (db: Queryable, ids: readonly string[]): Promise<LoadedWorkflowRow[]> =>
  db.query<LoadedWorkflowRow>(STATEMENT, [ids]);
