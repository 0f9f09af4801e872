import type { Queryable } from '../../../database/queryable.js';
import type { JsonObject } from '../../model/json.js';

export interface PayloadRow {
  readonly workflow_id: string;
  readonly definition_digest: string;
  readonly input: JsonObject;
  readonly output: JsonObject;
  readonly variables: JsonObject;
  readonly timer_at: number | null;
}

const STATEMENT = `
  SELECT p.*, timer.due_at AS timer_at
  FROM workflow_payload p LEFT JOIN workflow_timer timer USING (workflow_id)
  WHERE p.workflow_id = ANY ($1)`;

/** Inputs, outputs, variables and the deadline of workflows. */
export const loadPayloads = (db: Queryable, ids: readonly string[]): Promise<PayloadRow[]> =>
  db.query<PayloadRow>(STATEMENT, [ids]);
