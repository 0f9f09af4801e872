import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently } from '../concurrent-index.js';

// Workers may stay up: the index is made beside them. A cut-short one is made again.
export class IndexQueueTurns1766050001000 implements MigrationInterface {
  readonly transaction = false as const;

  async up(db: QueryRunner): Promise<void> {
    // Serves waitingLanes and laneHeads: the first of each queue, without reading what waits behind them; and the counts of queues.
    await createIndexConcurrently(
      db,
      'backlog_item_lane',
      `ON backlog_item (endpoint_id, bucket, source_class, priority DESC, enqueued_at, scan_id)
       INCLUDE (not_before, size_bytes) WHERE NOT postponed AND decide_at IS NULL`,
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX CONCURRENTLY IF EXISTS backlog_item_lane');
  }
}
