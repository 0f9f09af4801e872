import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently } from '../concurrent-index.js';

const [NAME, ON] = [
  'review_link_mail',
  'ON review_link (mail_sha256) WHERE mail_sha256 IS NOT NULL',
] as const;

// Workers may stay up: the index is made beside them. A cut-short one is made again.
export class IndexMailToken1766360001000 implements MigrationInterface {
  readonly transaction = false as const;

  async up(db: QueryRunner): Promise<void> {
    await createIndexConcurrently(db, NAME, ON);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP INDEX CONCURRENTLY IF EXISTS ${NAME}`);
  }
}
