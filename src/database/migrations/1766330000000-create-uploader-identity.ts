import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: a new column that may be empty, and a table that no earlier release knows.
export class CreateUploaderIdentity1766330000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // The principal as the upload's event named it; empty where no event did.
    await db.query(`ALTER TABLE object_version ADD COLUMN uploader text`);
    // Who is behind a principal, as admins say.
    await db.query(`
      CREATE TABLE uploader_identity (
        id uuid PRIMARY KEY,
        -- With a star at its end, all that begin so.
        principal text NOT NULL UNIQUE,
        kind text NOT NULL CHECK (kind IN ('user', 'mail', 'session', 'service')),
        -- Of a user the id, of a mail the address, else empty.
        target text NOT NULL,
        note text NOT NULL,
        created_at bigint NOT NULL,
        created_by text NOT NULL
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE uploader_identity`);
    await db.query(`ALTER TABLE object_version DROP COLUMN uploader`);
  }
}
