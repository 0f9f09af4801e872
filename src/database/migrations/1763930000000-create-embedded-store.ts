import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only a new table.
export class CreateEmbeddedStore1763930000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // At most one row: whose embedded S3 endpoint the ledger's objects are on.
    await db.query(`
      CREATE TABLE embedded_store (
        is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
        store_id uuid NOT NULL,
        home text NOT NULL
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE embedded_store`);
  }
}
