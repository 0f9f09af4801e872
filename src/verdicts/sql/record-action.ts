import { insertAudit } from '../../audit/audit.js';
import type { Queryable } from '../../database/queryable.js';
import type { ActionRecord } from '../ledger.js';
import { storableJson, storableText } from '../text.js';

/** Who did what, by the task that did it. */
export interface TaskAction {
  readonly scanId: string;
  readonly taskId: string;
  readonly record: ActionRecord;
}

/**
 * Records what was done to scans' objects, once for each task and action, with the audit events: one statement for many,
 * because it is written for every object. No scan is named twice.
 *
 * @returns the scans that are known.
 */
export async function recordActions(
  db: Queryable,
  actions: readonly TaskAction[],
): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ id: string }>(RECORD, [storableJson(actions.map(rowOf))]);
  return new Set(rows.map(({ id }) => id));
}

const rowOf = ({ scanId, taskId, record: { action, performed, note, data, at } }: TaskAction, n: number) => ({
  n,
  scan_id: scanId,
  task_id: taskId,
  action,
  performed,
  note: note === undefined ? undefined : storableText(note, 2000),
  data,
  at: Math.round(at),
  told: { scanId, performed, ...(note !== undefined && { note }) },
});

const RECORD = `
  WITH a AS MATERIALIZED (
    SELECT a.*, o.id AS object_id
      FROM json_to_recordset($1::json) AS a (n int, scan_id uuid, task_id text, action text, performed boolean,
           note text, data json, at bigint, told json)
      JOIN scan s ON s.id = a.scan_id JOIN object_version o ON o.id = s.object_id
     ORDER BY o.id FOR NO KEY UPDATE OF o),
  done AS (
    INSERT INTO object_action (scan_id, object_id, task_id, action, performed, note, data, at)
    SELECT scan_id, object_id, task_id, action, performed, note, data, at FROM a
    ON CONFLICT (scan_id, task_id, action) DO NOTHING RETURNING scan_id, object_id),
  -- The tag is a copy of the verdict; a quarantine, a release or a deletion is what people ask for.
  moved AS (
    UPDATE object_version o
       SET action = last.action, action_performed = last.performed, acted_at = last.at,
           -- Its delete event may name no version, or never come.
           deleted_at = CASE WHEN last.performed AND last.action IN ('quarantined', 'deleted')
                             THEN coalesce(o.deleted_at, last.at) ELSE o.deleted_at END,
           is_latest = o.is_latest AND NOT (last.performed AND last.action IN ('quarantined', 'deleted'))
      FROM (SELECT DISTINCT ON (a.object_id) a.* FROM done JOIN a ON a.scan_id = done.scan_id
             ORDER BY a.object_id, a.action = 'tagged', a.at DESC, a.n DESC) last
     WHERE o.id = last.object_id
       AND NOT (last.action = 'tagged'
                AND coalesce(o.action, '') IN ('quarantined', 'released', 'deleted', 'kept'))),
  told AS (
    ${insertAudit({
      at: 'a.at',
      actor: `'worker:actions'`,
      action: `'object.' || a.action`,
      subject: `'object:' || done.object_id`,
      data: 'a.told',
      from: 'done JOIN a ON a.scan_id = done.scan_id',
    })})
  SELECT scan_id AS id FROM a`;
