import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently } from '../concurrent-index.js';

// Workers may stay up: the index is made beside them.
export class IndexFindingsByRule1766340002000 implements MigrationInterface {
  readonly transaction = false as const;

  async up(db: QueryRunner): Promise<void> {
    // Serves "what would an exception for this rule answer for".
    await createIndexConcurrently(db, 'finding_rule', 'ON finding (rule_id, id)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX CONCURRENTLY IF EXISTS finding_rule');
  }
}
