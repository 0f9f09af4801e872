import type { Queryable } from '../../../database/queryable.js';
import type { JsonObject } from '../../model/json.js';

export interface PayloadParameters {
  readonly workflow_id: string;
  readonly definition_digest: string;
  /** A text refers to the payload store. */
  readonly input: JsonObject | string;
  readonly output: JsonObject | string;
  readonly variables: JsonObject;
  /** Of the start; never changes. */
  readonly traceparent: string | undefined;
}

const INSERT = `
  INSERT INTO workflow_payload (workflow_id, definition_digest, input, output, variables, traceparent)
  SELECT workflow_id, definition_digest, input, output, variables, traceparent FROM json_to_recordset($1::json)
    AS new (workflow_id text, definition_digest text, input json, output json, variables json, traceparent text)`;

/** The payloads of new workflows. */
export const insertPayloads = (tx: Queryable, rows: readonly PayloadParameters[]): Promise<unknown> =>
  tx.query(INSERT, [JSON.stringify(rows)]);

const UPDATE = `
  UPDATE workflow_payload p SET input = new.input, output = new.output, variables = new.variables
  FROM json_to_recordset($1::json) AS new (workflow_id text, input json, output json, variables json)
  WHERE p.workflow_id = new.workflow_id`;

/** Changed payloads of existing workflows. */
export const updatePayloads = (tx: Queryable, rows: readonly PayloadParameters[]): Promise<unknown> =>
  tx.query(UPDATE, [JSON.stringify(rows)]);
