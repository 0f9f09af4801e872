import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: a new table, and a column with a default that nodes which do not know it leave alone.
export class CreateReadGrant1766090001000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // A scanner elsewhere may read one object version for a while; how much it read says what its answer is worth.
    await db.query(`
      CREATE TABLE read_grant (
        id uuid PRIMARY KEY,
        task_id text NOT NULL UNIQUE,
        scan_id uuid NOT NULL REFERENCES scan (id),
        scanner text NOT NULL,
        secret_sha256 text NOT NULL,
        object json NOT NULL,
        sha256 text NOT NULL,
        size_bytes bigint NOT NULL,
        reads int NOT NULL DEFAULT 0,
        reserved_bytes bigint NOT NULL DEFAULT 0,
        read_ranges int8multirange NOT NULL DEFAULT '{}',
        expires_at bigint NOT NULL
      )`);
    // Serves the removal of old ones.
    await db.query(`CREATE INDEX read_grant_expiry ON read_grant (expires_at)`);
    // Which scanner elsewhere found it; empty for our own.
    await db.query(`ALTER TABLE finding ADD COLUMN source text NOT NULL DEFAULT ''`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE finding DROP COLUMN source`);
    await db.query(`DROP TABLE read_grant`);
  }
}
