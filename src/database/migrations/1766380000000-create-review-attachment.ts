import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: two tables that no earlier release knows.
export class CreateReviewAttachment1766380000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE review_attachment (
        id uuid PRIMARY KEY,
        review_id uuid NOT NULL REFERENCES review (id),
        -- As it was given, with what looks like a secret masked.
        name text NOT NULL,
        size_bytes int NOT NULL CHECK (size_bytes > 0),
        sha256 text NOT NULL,
        attached_by text NOT NULL,
        attached_by_name text NOT NULL,
        attached_at bigint NOT NULL,
        state text NOT NULL CHECK (state IN ('scanning', 'clean', 'refused')),
        -- Of the scan, as in the ledger; null while it waits for one.
        verdict text,
        reason text,
        -- A sentence for people, where it is refused.
        why text,
        engines json,
        judged_at bigint,
        attempts int NOT NULL DEFAULT 0,
        -- Nobody begins a scan of it before: one may be under way until then, or has failed.
        scan_after bigint NOT NULL,
        CHECK ((state = 'scanning') = (judged_at IS NULL)),
        CHECK ((state = 'refused') = (why IS NOT NULL))
      )`);
    await db.query(`
      CREATE TABLE review_attachment_bytes (
        attachment_id uuid PRIMARY KEY REFERENCES review_attachment (id),
        bytes bytea NOT NULL
      )`);
    // Read in slices, which compression forbids; and most files are compressed already.
    await db.query(`ALTER TABLE review_attachment_bytes ALTER COLUMN bytes SET STORAGE EXTERNAL`);
    // Serves the list of a review's attachments, and their number.
    await db.query(`CREATE INDEX review_attachment_review ON review_attachment (review_id, attached_at)`);
    // Serves the search for what waits to be scanned.
    await db.query(
      `CREATE INDEX review_attachment_waiting ON review_attachment (scan_after) WHERE state = 'scanning'`,
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE review_attachment_bytes`);
    await db.query(`DROP TABLE review_attachment`);
  }
}
