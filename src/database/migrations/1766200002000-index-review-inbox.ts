import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently } from '../concurrent-index.js';

// As src/reviews/sql/list-reviews.ts has them.
const NEVER_DUE = 4_000_000_000_000_000;
const WAITS = `state IN ('OPEN', 'ASSIGNED', 'CLAIMED', 'ON_HOLD', 'INFO_REQUESTED')`;

const INDEXES: readonly (readonly [string, string])[] = [
  // Serves the sweep for reviews whose task has ended.
  ['review_waiting_checked', `ON review (checked_at) WHERE ${WAITS}`],
  // Serve the inbox: what is due first, of all queues and of one.
  ['review_due', `ON review (coalesce(due_at, ${NEVER_DUE} + created_at), id) WHERE ${WAITS}`],
  ['review_queue_due', `ON review (queue, coalesce(due_at, ${NEVER_DUE} + created_at), id) WHERE ${WAITS}`],
  // Serves the list of a queue.
  ['review_queue', 'ON review (queue, created_at DESC, id DESC)'],
  // Serves "who decided the last one about this object".
  ['review_object', 'ON review (object_id, created_at DESC) WHERE object_id IS NOT NULL'],
];

// Workers may stay up: the indexes are made beside them. A cut-short one is made again.
export class IndexReviewInbox1766200002000 implements MigrationInterface {
  readonly transaction = false as const;

  async up(db: QueryRunner): Promise<void> {
    for (const [name, on] of INDEXES) await createIndexConcurrently(db, name, on);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const [name] of INDEXES) await db.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
  }
}
