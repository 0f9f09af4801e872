import { Injectable } from '@nestjs/common';
import type { Queryable } from '../database/queryable.js';
import { WAITING_STATES } from './rules/review.js';
import { RetentionHold } from '../engine/retention/retention-hold.js';

/** An execution stays as long as a person is asked about it. */
@Injectable()
export class OpenReviewHold extends RetentionHold {
  readonly name = 'open reviews';

  async held(workflowIds: readonly string[], db: Queryable): Promise<ReadonlySet<string>> {
    const rows = await db.query<{ id: string }>(
      `SELECT workflow_id AS id FROM review WHERE workflow_id = ANY ($1) AND state = ANY ($2)`,
      [workflowIds, WAITING_STATES],
    );
    return new Set(rows.map(({ id }) => id));
  }
}
