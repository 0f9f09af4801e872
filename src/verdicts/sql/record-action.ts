import { insertAudit } from '../../audit/audit.js';
import type { Queryable } from '../../database/queryable.js';
import type { ActionRecord } from '../ledger.js';
import { storableText } from '../text.js';

/**
 * Records what was done to a scan's object, once for each task and action, with its audit event: one statement, because
 * it is written for every object.
 *
 * @returns whether the scan is known.
 */
export async function recordAction(
  db: Queryable,
  scanId: string,
  taskId: string,
  record: ActionRecord,
): Promise<boolean> {
  const { action, performed, note, data, at } = record;
  const rows = await db.query(RECORD, [
    scanId,
    taskId,
    action,
    performed,
    note === undefined ? null : storableText(note, 2000),
    data === undefined ? null : JSON.stringify(data),
    Math.round(at),
    `object.${action}`,
    JSON.stringify({ scanId, performed, ...(note !== undefined && { note }) }),
  ]);
  return rows.length > 0;
}

const RECORD = `
  WITH subject AS (SELECT id, object_id FROM scan WHERE id = $1),
  done AS (
    INSERT INTO object_action (scan_id, object_id, task_id, action, performed, note, data, at)
    SELECT id, object_id, $2, $3, $4, $5, $6::json, $7 FROM subject
    ON CONFLICT (scan_id, task_id, action) DO NOTHING RETURNING object_id),
  -- The tag is a copy of the verdict; a quarantine, a release or a deletion is what people ask for.
  moved AS (
    UPDATE object_version o SET action = $3, action_performed = $4, acted_at = $7 FROM done
     WHERE o.id = done.object_id
       AND NOT ($3 = 'tagged' AND coalesce(o.action, '') IN ('quarantined', 'released', 'deleted', 'kept'))),
  told AS (
    ${insertAudit({
      at: '$7::bigint',
      actor: `'worker:actions'`,
      action: '$8::text',
      subject: `'object:' || done.object_id`,
      data: '$9::json',
      from: 'done',
    })})
  SELECT object_id FROM subject`;
