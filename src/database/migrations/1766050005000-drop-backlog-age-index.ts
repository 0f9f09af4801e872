import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently } from '../concurrent-index.js';

// Workers may stay up: the version before finds the same by other indexes, slower while much waits.
export class DropBacklogAgeIndex1766050005000 implements MigrationInterface {
  readonly transaction = false as const;

  async up(db: QueryRunner): Promise<void> {
    // Nothing asks for it any more (see index-queue-ages), and every event would still write to it.
    await db.query('DROP INDEX CONCURRENTLY IF EXISTS backlog_item_age');
  }

  async down(db: QueryRunner): Promise<void> {
    await createIndexConcurrently(
      db,
      'backlog_item_age',
      'ON backlog_item (endpoint_id, bucket, enqueued_at)',
    );
  }
}
