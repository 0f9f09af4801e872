import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';

export interface StartedScan {
  readonly scanId: string;
  readonly workflowId: string;
}

/**
 * These workflows run: their items leave the backlog, and the scans and their objects remember them. One statement,
 * however many.
 *
 * It waits for no object's row, because whoever holds it may wait for another one of these. Such an item stays, though its
 * scan counts as running: the next look starts it again, which starts nothing new, and finds the row free.
 */
export const markStarted = (tx: Queryable, started: readonly StartedScan[], at: Instant): Promise<unknown> =>
  tx.query(
    `WITH started AS (
       SELECT scan_id, workflow_id FROM unnest($1::uuid[], $2::text[]) AS u (scan_id, workflow_id)
     ), free AS (
       SELECT o.id, s.id AS scan_id, s.generation, u.workflow_id
         FROM started u JOIN scan s ON s.id = u.scan_id JOIN object_version o ON o.id = s.object_id
          FOR NO KEY UPDATE OF o SKIP LOCKED
     ), scans AS (
       UPDATE scan s SET started_at = coalesce(s.started_at, $3), workflow_id = u.workflow_id,
                         source_class = i.source_class
         FROM started u JOIN backlog_item i ON i.scan_id = u.scan_id WHERE s.id = u.scan_id
     ), objects AS (
       UPDATE object_version o SET workflow_id = f.workflow_id
         FROM free f WHERE o.id = f.id AND o.generation = f.generation
     )
     DELETE FROM backlog_item i USING free f WHERE i.scan_id = f.scan_id`,
    [started.map(({ scanId }) => scanId), started.map(({ workflowId }) => workflowId), at],
  );
