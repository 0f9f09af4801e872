import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: a new table, and columns that nodes which do not know them leave as they are.
export class CreateBaseline1766091000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // Secrets that somebody knows of and answers for: found again, they do not make an object's verdict.
    await db.query(`
      CREATE TABLE accepted_fingerprint (
        fingerprint text NOT NULL,
        -- Empty for every bucket.
        bucket text NOT NULL DEFAULT '',
        -- Only what this rule finds; any rule where it is null.
        rule_id text,
        reason text NOT NULL,
        expires_at bigint,
        created_at bigint NOT NULL,
        created_by text NOT NULL,
        -- Serves the lookup of a scan's fingerprints, and the list.
        PRIMARY KEY (fingerprint, bucket)
      )`);
    await db.query(`
      ALTER TABLE finding ADD COLUMN accepted boolean NOT NULL DEFAULT false,
                          ADD COLUMN accepted_reason text`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE finding DROP COLUMN accepted, DROP COLUMN accepted_reason`);
    await db.query(`DROP TABLE accepted_fingerprint`);
  }
}
