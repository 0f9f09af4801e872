import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: columns that the version before need not know.
export class AskForReleases1766370000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE quarantined_object
        -- The workflow that last asked whether it may go back, who wanted that, and when.
        ADD COLUMN release_workflow_id text,
        ADD COLUMN release_asked_by text,
        ADD COLUMN release_asked_at bigint`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE quarantined_object
        DROP COLUMN release_workflow_id, DROP COLUMN release_asked_by, DROP COLUMN release_asked_at`);
  }
}
