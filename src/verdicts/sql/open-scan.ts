import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import { scanIdOf, workflowIdOf } from '../ids.js';
import type { Origin } from './object-rows.js';

export interface NewScan {
  readonly objectId: string;
  /** Already the object's: see `raiseGenerations`. */
  readonly generation: number;
  readonly origin: Origin;
  /** As in AuditEvent.actor. */
  readonly requestedBy: string;
  readonly rule?: string | undefined;
  /** This request, not an event, made the object's row. */
  readonly openedObject: boolean;
  readonly workflowName: string;
  readonly at: Instant;
}

export interface OpenedScan {
  readonly scanId: string;
  readonly workflowId: string;
}

/** Counts one more scan of each of these objects. @returns each one's number by the object's id. */
export async function raiseGenerations(
  tx: Queryable,
  objectIds: readonly string[],
): Promise<Map<string, number>> {
  if (objectIds.length === 0) return new Map();
  const rows = await tx.query<{ id: string; generation: number }>(
    'UPDATE object_version SET generation = generation + 1 WHERE id = ANY ($1) RETURNING id, generation',
    [objectIds],
  );
  return new Map(rows.map(({ id, generation }) => [id, generation]));
}

/** Inserts scans; their ids follow from object and generation. @returns the ids, in the order given. */
export async function openScans(tx: Queryable, scans: readonly NewScan[]): Promise<OpenedScan[]> {
  if (scans.length === 0) return [];
  const opened = scans.map(({ objectId, generation }) => {
    const scanId = scanIdOf(objectId, generation);
    return { scanId, workflowId: workflowIdOf(scanId) };
  });
  const rows = scans.map((scan, index) => ({
    id: opened[index]?.scanId,
    object_id: scan.objectId,
    generation: scan.generation,
    origin: scan.origin,
    requested_by: scan.requestedBy,
    rule: scan.rule,
    opened_object: scan.openedObject,
    workflow_name: scan.workflowName,
    workflow_id: opened[index]?.workflowId,
    requested_at: scan.at,
  }));
  await tx.query(
    `INSERT INTO scan (id, object_id, generation, origin, requested_by, rule, opened_object, workflow_name,
                       workflow_id, requested_at)
     SELECT id, object_id, generation, origin, requested_by, rule, opened_object, workflow_name,
            workflow_id, requested_at
       FROM json_to_recordset($1::json) AS s (id uuid, object_id uuid, generation int, origin text,
            requested_by text, rule text, opened_object boolean, workflow_name text, workflow_id text,
            requested_at bigint)`,
    [JSON.stringify(rows)],
  );
  return opened;
}
