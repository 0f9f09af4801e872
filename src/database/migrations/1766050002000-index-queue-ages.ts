import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently } from '../concurrent-index.js';

// Workers may stay up: the index is made beside them. A cut-short one is made again.
export class IndexQueueAges1766050002000 implements MigrationInterface {
  readonly transaction = false as const;

  async up(db: QueryRunner): Promise<void> {
    // Serves laneHeads (the oldest of each queue, whatever their priority) and listWaiting.
    await createIndexConcurrently(
      db,
      'backlog_item_lane_age',
      `ON backlog_item (endpoint_id, bucket, source_class, enqueued_at, scan_id)
       INCLUDE (not_before, size_bytes, priority) WHERE NOT postponed AND decide_at IS NULL`,
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX CONCURRENTLY IF EXISTS backlog_item_lane_age');
  }
}
