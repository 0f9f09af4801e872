import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently } from '../concurrent-index.js';

// Workers may stay up: the index is made beside them. A cut-short one is made again.
export class IndexStatusByName1764165000000 implements MigrationInterface {
  readonly transaction = false as const;

  async up(db: QueryRunner): Promise<void> {
    // Serves "what is open, what went wrong" of one definition: among a million others it is read off, not looked for.
    await createIndexConcurrently(
      db,
      'workflow_name_status_created',
      `ON workflow (name, status, created_at DESC, id DESC) WHERE status <> 'COMPLETED'`,
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX CONCURRENTLY IF EXISTS workflow_name_status_created');
  }
}
