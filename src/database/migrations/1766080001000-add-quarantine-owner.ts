import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only a new column that may be empty. Nodes that do not know it leave it as it is.
export class AddQuarantineOwner1766080001000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // The AWS account that the quarantine bucket must belong to.
    await db.query(`ALTER TABLE bucket ADD COLUMN quarantine_owner text`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE bucket DROP COLUMN quarantine_owner`);
  }
}
