import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: new tables, and columns that the version before leaves empty.
export class KeepReportFiles1766495000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE report
        -- What the report states in numbers, by name; absent of reports of an earlier release.
        ADD COLUMN figures json,
        -- What it restated of earlier ones: [{reportId, label, figure, stated, now}].
        ADD COLUMN restated json,
        ADD COLUMN snapshot_at bigint,
        -- SHA-256 of manifest.json, which names every other file.
        ADD COLUMN manifest_sha256 text`);
    await db.query(`
      CREATE TABLE report_file (
        report_id uuid NOT NULL REFERENCES report (id),
        name text NOT NULL,
        media_type text NOT NULL,
        bytes bigint NOT NULL,
        sha256 text NOT NULL,
        PRIMARY KEY (report_id, name)
      )`);
    // A file in pieces of at most a mebibyte, so that nobody holds all of it.
    await db.query(`
      CREATE TABLE report_part (
        report_id uuid NOT NULL,
        name text NOT NULL,
        part int NOT NULL,
        content bytea NOT NULL,
        PRIMARY KEY (report_id, name, part),
        FOREIGN KEY (report_id, name) REFERENCES report_file (report_id, name) DEFERRABLE INITIALLY DEFERRED
      )`);
    await db.query(`
      CREATE FUNCTION report_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'what a report said is append-only';
      END $$`);
    for (const table of ['report_file', 'report_part'])
      await db.query(`
        CREATE TRIGGER ${table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ${table}
        FOR EACH STATEMENT EXECUTE FUNCTION report_is_append_only()`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE report_part`);
    await db.query(`DROP TABLE report_file`);
    await db.query(`DROP FUNCTION report_is_append_only()`);
    await db.query(`
      ALTER TABLE report DROP COLUMN figures, DROP COLUMN restated, DROP COLUMN snapshot_at, DROP COLUMN manifest_sha256`);
  }
}
