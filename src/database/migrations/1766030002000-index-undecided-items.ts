import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently } from '../concurrent-index.js';

// Workers may stay up: the index is made beside them. A cut-short one is made again.
export class IndexUndecidedItems1766030002000 implements MigrationInterface {
  readonly transaction = false as const;

  async up(db: QueryRunner): Promise<void> {
    // Serves claimUndecided: each second, on each node.
    await createIndexConcurrently(
      db,
      'backlog_item_undecided',
      'ON backlog_item (decide_at) WHERE decide_at IS NOT NULL',
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX CONCURRENTLY IF EXISTS backlog_item_undecided');
  }
}
