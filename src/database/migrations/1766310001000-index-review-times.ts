import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently } from '../concurrent-index.js';

const INDEXES: readonly (readonly [string, string])[] = [
  // Serve what was decided, and what was taken up, in a span of time (src/reviews/sql/queue-figures.ts).
  [
    'review_ended',
    `ON review (coalesce(decided_at, cancelled_at)) WHERE coalesce(decided_at, cancelled_at) IS NOT NULL`,
  ],
  ['review_taken', 'ON review (taken_at) WHERE taken_at IS NOT NULL'],
];

// Workers may stay up: the indexes are made beside them. A cut-short one is made again.
export class IndexReviewTimes1766310001000 implements MigrationInterface {
  readonly transaction = false as const;

  async up(db: QueryRunner): Promise<void> {
    for (const [name, on] of INDEXES) await createIndexConcurrently(db, name, on);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const [name] of INDEXES) await db.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
  }
}
