import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently } from '../concurrent-index.js';

// Workers may stay up: the version before sweeps its two states through review_waiting_checked.
export class DropReviewUncheckedIndex1766200003000 implements MigrationInterface {
  readonly transaction = false as const;

  async up(db: QueryRunner): Promise<void> {
    // It knows two of the five states that wait.
    await db.query('DROP INDEX CONCURRENTLY IF EXISTS review_unchecked');
  }

  async down(db: QueryRunner): Promise<void> {
    await createIndexConcurrently(
      db,
      'review_unchecked',
      `ON review (checked_at) WHERE state IN ('OPEN', 'CLAIMED')`,
    );
  }
}
