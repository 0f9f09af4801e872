import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: new tables, and columns that the version before need not know.
export class CreateObjectSteps1766060000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE object_step (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        scan_id uuid NOT NULL,
        move text NOT NULL CHECK (move IN ('quarantine', 'release', 'deletion')),
        step text NOT NULL,
        note text,
        data json,
        at bigint NOT NULL
      )`);
    // Serves the object's page.
    await db.query(`CREATE INDEX object_step_scan ON object_step (scan_id, id)`);
    await db.query(`
      CREATE TABLE copy_upload (
        -- A copy in parts that is under way: recorded before its first part.
        scan_id uuid NOT NULL,
        move text NOT NULL CHECK (move IN ('quarantine', 'release')),
        endpoint_id text NOT NULL,
        bucket text NOT NULL,
        key text NOT NULL,
        upload_id text NOT NULL,
        touched_at bigint NOT NULL,
        PRIMARY KEY (scan_id, move)
      )`);
    // Serves the search for copies that nobody finishes.
    await db.query(`CREATE INDEX copy_upload_touched ON copy_upload (touched_at)`);
    await db.query(`
      CREATE TABLE allowed_bytes (
        endpoint_id text NOT NULL,
        bucket text NOT NULL,
        size_bytes bigint NOT NULL,
        sha256 text NOT NULL,
        scan_id uuid NOT NULL,
        review_id text,
        decided_by text,
        created_at bigint NOT NULL,
        allowed_until bigint NOT NULL,
        PRIMARY KEY (endpoint_id, bucket, size_bytes, sha256)
      )`);
    await db.query(`
      ALTER TABLE quarantined_object
        -- What the copy in quarantine does not keep, for the way back: encryption, storage class.
        ADD COLUMN original_facts json`);
    await db.query(`
      ALTER TABLE released_object
        -- The copy is there, not read back yet; is_written says that it was read back and found the same.
        ADD COLUMN written_at bigint,
        -- Whose decision it was.
        ADD COLUMN review_id text,
        ADD COLUMN decided_by text`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE released_object DROP COLUMN written_at, DROP COLUMN review_id, DROP COLUMN decided_by`);
    await db.query(`ALTER TABLE quarantined_object DROP COLUMN original_facts`);
    await db.query(`DROP TABLE allowed_bytes`);
    await db.query(`DROP TABLE copy_upload`);
    await db.query(`DROP TABLE object_step`);
  }
}
