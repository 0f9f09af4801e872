import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently } from '../concurrent-index.js';

// Workers may stay up: the index is made beside them.
export class IndexExceptedFindings1766340001000 implements MigrationInterface {
  readonly transaction = false as const;

  async up(db: QueryRunner): Promise<void> {
    // Serves "what does it answer for", when its time ends.
    await createIndexConcurrently(
      db,
      'finding_exception_id',
      'ON finding (exception_id, id) WHERE exception_id IS NOT NULL',
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX CONCURRENTLY IF EXISTS finding_exception_id');
  }
}
