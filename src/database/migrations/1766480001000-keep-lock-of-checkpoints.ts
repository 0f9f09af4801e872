import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: a column that may be empty.
export class KeepLockOfCheckpoints1766480001000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE audit_anchor ADD COLUMN locked_until bigint`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE audit_anchor DROP COLUMN locked_until`);
  }
}
