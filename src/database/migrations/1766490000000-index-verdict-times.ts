import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently } from '../concurrent-index.js';

// Workers may stay up: the index is made beside them.
export class IndexVerdictTimes1766490000000 implements MigrationInterface {
  readonly transaction = false as const;

  async up(db: QueryRunner): Promise<void> {
    // Serves the findings of the scans that were judged in a time, page by page.
    await createIndexConcurrently(db, 'verdict_at', 'ON verdict (at, id)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX CONCURRENTLY IF EXISTS verdict_at');
  }
}
