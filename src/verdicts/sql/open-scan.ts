import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import { scanIdOf, workflowIdOf } from '../ids.js';

export interface OpenScan {
  readonly objectId: string;
  readonly origin: 'event' | 'request';
  /** As in AuditEvent.actor. */
  readonly requestedBy: string;
  readonly rule?: string | undefined;
  /** This request, not an event, made the object's row. */
  readonly openedObject: boolean;
  readonly workflowName: string;
  readonly at: Instant;
}

/** Raises the object's generation and inserts the scan of it; its ids follow from the object and the generation. */
export async function openScan(
  tx: Queryable,
  args: OpenScan,
): Promise<{ readonly scanId: string; readonly workflowId: string; readonly generation: number }> {
  const [object] = await tx.query<{ generation: number }>(
    'UPDATE object_version SET generation = generation + 1 WHERE id = $1 RETURNING generation',
    [args.objectId],
  );
  if (object === undefined) throw new Error(`object ${args.objectId} vanished inside its own transaction`);
  const { generation } = object;
  const scanId = scanIdOf(args.objectId, generation);
  const workflowId = workflowIdOf(scanId);
  await tx.query(
    `INSERT INTO scan (id, object_id, generation, origin, requested_by, rule, opened_object, workflow_name,
                       workflow_id, requested_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      scanId,
      args.objectId,
      generation,
      args.origin,
      args.requestedBy,
      args.rule ?? null,
      args.openedObject,
      args.workflowName,
      workflowId,
      args.at,
    ],
  );
  return { scanId, workflowId, generation };
}
