import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only new tables.
export class CreateRetention1764140002000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // How long ended workflows of one name are kept, where it is not the configured default. 0 days: for ever.
    await db.query(`
      CREATE TABLE retention_policy (
        workflow_name text COLLATE "C" PRIMARY KEY,
        days int NOT NULL CHECK (days >= 0),
        updated_by text NOT NULL,
        updated_at bigint NOT NULL
      )`);
    // Kept whatever the policy says, until somebody lifts the hold.
    await db.query(`
      CREATE TABLE workflow_hold (
        workflow_id text COLLATE "C" PRIMARY KEY,
        reason text NOT NULL,
        held_by text NOT NULL,
        held_at bigint NOT NULL
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of ['workflow_hold', 'retention_policy']) await db.query(`DROP TABLE ${table}`);
  }
}
