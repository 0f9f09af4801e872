import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only new tables.
export class CreateQuarantine1764030000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE quarantined_object (
        scan_id text PRIMARY KEY,
        endpoint_id text NOT NULL,
        bucket text NOT NULL,
        key text NOT NULL,
        version_id text,
        etag text NOT NULL,
        quarantine_bucket text NOT NULL,
        quarantine_key text NOT NULL,
        quarantine_version_id text,
        quarantine_etag text,
        size_bytes bigint NOT NULL,
        -- Of the copy, read back; present from state 'copied' on.
        sha256 text,
        state text NOT NULL CHECK (state IN ('copying', 'copied', 'moved', 'released', 'deleted')),
        created_at bigint NOT NULL,
        updated_at bigint NOT NULL
      )`);
    // Two versions of one key never share a place, whoever asks first.
    await db.query(`
      CREATE UNIQUE INDEX quarantined_object_place ON quarantined_object
        (endpoint_id, quarantine_bucket, quarantine_key)
      WHERE state IN ('copying', 'copied', 'moved')`);
    await db.query(`
      CREATE TABLE released_object (
        scan_id text PRIMARY KEY,
        endpoint_id text NOT NULL,
        bucket text NOT NULL,
        key text NOT NULL,
        -- Absent in unversioned buckets, and until the copy is written.
        version_id text,
        etag text NOT NULL,
        sha256 text NOT NULL,
        is_written boolean NOT NULL,
        created_at bigint NOT NULL
      )`);
    // Serves isReleased.
    await db.query(`CREATE INDEX released_object_key ON released_object (endpoint_id, bucket, key)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE released_object`);
    await db.query(`DROP TABLE quarantined_object`);
  }
}
