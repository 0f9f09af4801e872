import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: a table that no earlier release knows.
export class CreateReviewDownload1766330001000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE review_download (
        id uuid PRIMARY KEY,
        review_id uuid NOT NULL REFERENCES review (id),
        -- The version that was asked for, fixed then; nothing else is ever sent.
        object json NOT NULL,
        read_from text NOT NULL CHECK (read_from IN ('quarantine', 'bucket')),
        uploaded_as text NOT NULL,
        asked_by text NOT NULL,
        asked_by_name text NOT NULL,
        reason text NOT NULL,
        asked_at bigint NOT NULL,
        needs_grant boolean NOT NULL,
        answer text CHECK (answer IN ('granted', 'refused')),
        answered_by text CHECK (answered_by <> asked_by),
        answered_by_name text,
        answered_at bigint,
        answer_reason text,
        -- Ends the waiting for an answer, and the time in which links are given.
        expires_at bigint NOT NULL,
        -- Of the one link that works; it is in nobody's hands but the asker's.
        token_sha256 bytea UNIQUE,
        link_expires_at bigint,
        used_at bigint,
        ended_at bigint,
        sent_bytes bigint,
        sent_sha256 text,
        is_whole boolean
      )`);
    // Serves the list of a review's downloads.
    await db.query(`CREATE INDEX review_download_review ON review_download (review_id, asked_at)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE review_download`);
  }
}
