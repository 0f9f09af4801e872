import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: a new column that old code neither reads nor has to write.
export class AddTraceparent1764150000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // The trace that a start came in with; without one the trace's id follows from the workflow's.
    await db.query('ALTER TABLE workflow_payload ADD COLUMN traceparent text COLLATE "C"');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE workflow_payload DROP COLUMN traceparent');
  }
}
