import { Injectable } from '@nestjs/common';
import type { Queryable } from '../database/queryable.js';
import { RetentionHold } from '../engine/retention/retention-hold.js';

/** An execution stays until the reports that are being made over its time, and by it, are done. */
@Injectable()
export class OpenReportHold extends RetentionHold {
  readonly name = 'open report periods';

  async held(workflowIds: readonly string[], db: Queryable): Promise<ReadonlySet<string>> {
    const rows = await db.query<{ id: string }>(
      `SELECT w.id FROM workflow w WHERE w.id = ANY ($1) AND EXISTS (
         SELECT 1 FROM report r WHERE r.status = 'pending'
           -- One that failed tells of nothing any more, until somebody retries it.
           AND NOT EXISTS (SELECT FROM workflow f WHERE f.id = r.workflow_id AND f.status IN ('FAILED', 'TIMED_OUT', 'TERMINATED'))
           AND (r.workflow_id = w.id OR (w.created_at < r.period_to AND coalesce(w.ended_at, r.period_from) >= r.period_from)))`,
      [workflowIds],
    );
    return new Set(rows.map(({ id }) => id));
  }
}
