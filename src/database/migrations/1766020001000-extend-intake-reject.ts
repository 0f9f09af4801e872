import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: new columns, nullable or with a default.
export class ExtendIntakeReject1766020001000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE intake_reject
        -- Of the source whose events mean only buckets of this endpoint.
        ADD COLUMN endpoint_id text,
        -- What was kept is only the beginning, so it cannot be taken in again.
        ADD COLUMN truncated boolean NOT NULL DEFAULT false`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE intake_reject DROP COLUMN truncated, DROP COLUMN endpoint_id`);
  }
}
