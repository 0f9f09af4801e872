import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently } from '../concurrent-index.js';

// Workers may stay up: the index is made beside them. A cut-short one is made again.
export class IndexReviewEventOrder1766310005000 implements MigrationInterface {
  readonly transaction = false as const;

  async up(db: QueryRunner): Promise<void> {
    // Serves the stream of the inbox (src/reviews/sql/event-order.ts).
    await createIndexConcurrently(
      db,
      'review_event_order',
      'ON review_event (xid, id) WHERE xid IS NOT NULL',
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX CONCURRENTLY IF EXISTS review_event_order');
  }
}
