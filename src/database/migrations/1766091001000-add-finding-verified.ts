import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only new columns that may be empty. Nodes that do not know them leave them as they are.
export class AddFindingVerified1766091001000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // What the secret's provider said when it was found: active, inactive or unknown; null where nobody asked.
    await db.query(`ALTER TABLE finding ADD COLUMN verified text, ADD COLUMN verified_at bigint`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE finding DROP COLUMN verified, DROP COLUMN verified_at`);
  }
}
