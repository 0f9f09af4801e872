import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { RetentionHold } from '../engine/retention/retention-hold.js';

/** An execution stays as long as a person is asked about it. */
@Injectable()
export class OpenReviewHold extends RetentionHold {
  readonly name = 'open reviews';

  constructor(private readonly db: Database) {
    super();
  }

  async held(workflowIds: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.db.query<{ id: string }>(
      `SELECT workflow_id AS id FROM review WHERE workflow_id = ANY ($1) AND state IN ('OPEN', 'CLAIMED')`,
      [workflowIds],
    );
    return new Set(rows.map(({ id }) => id));
  }
}
