import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: new columns that old code neither reads nor has to write.
export class AddSubWorkflows1764110000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE workflow ADD COLUMN depth smallint NOT NULL DEFAULT 0');
    await db.query('ALTER TABLE task ADD COLUMN sub_workflow_id text COLLATE "C"');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE task DROP COLUMN sub_workflow_id');
    await db.query('ALTER TABLE workflow DROP COLUMN depth');
  }
}
