import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently } from '../concurrent-index.js';

// Workers may stay up: the version before finds the same by other indexes, slower while much waits.
export class DropBacklogTurnIndex1766050004000 implements MigrationInterface {
  readonly transaction = false as const;

  async up(db: QueryRunner): Promise<void> {
    // Nothing asks for it any more (see index-queue-turns), and every event would still write to it.
    await db.query('DROP INDEX CONCURRENTLY IF EXISTS backlog_item_turn');
  }

  async down(db: QueryRunner): Promise<void> {
    await createIndexConcurrently(
      db,
      'backlog_item_turn',
      'ON backlog_item (endpoint_id, bucket, priority DESC, enqueued_at, scan_id)',
    );
  }
}
