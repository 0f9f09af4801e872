import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only a new column that may be empty. Nodes that do not know it leave it as it is.
export class AddVerdictRequired1766090000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // The engines that the bucket required when the verdict was spoken; null where none was asked.
    await db.query(`ALTER TABLE verdict ADD COLUMN required text[]`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE verdict DROP COLUMN required`);
  }
}
