import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: a new table.
export class CountSlackSignatures1766452000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // Requests as from Slack, by the minute: how many signing secrets did not fit, and whether they fitted any.
    await db.query(`
      CREATE TABLE slack_signature (
        secrets_sha256 bytea NOT NULL,
        minute bigint NOT NULL,
        refused bigint NOT NULL,
        believed boolean NOT NULL,
        PRIMARY KEY (secrets_sha256, minute)
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE slack_signature`);
  }
}
