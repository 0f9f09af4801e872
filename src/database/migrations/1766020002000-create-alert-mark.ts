import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only a new table.
export class CreateAlertMark1766020002000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // Until when something was told, so that several nodes tell it once.
    await db.query(`
      CREATE TABLE alert_mark (
        name text PRIMARY KEY,
        told_at bigint NOT NULL
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE alert_mark`);
  }
}
