import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently } from '../concurrent-index.js';

// Workers may stay up: the index is made beside them. A cut-short one is made again.
export class IndexPostponedItems1766050003000 implements MigrationInterface {
  readonly transaction = false as const;

  async up(db: QueryRunner): Promise<void> {
    // Serves recallPostponed and the list of what is tried again.
    await createIndexConcurrently(
      db,
      'backlog_item_postponed',
      `ON backlog_item (not_before, scan_id) WHERE postponed OR decide_at IS NOT NULL`,
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX CONCURRENTLY IF EXISTS backlog_item_postponed');
  }
}
