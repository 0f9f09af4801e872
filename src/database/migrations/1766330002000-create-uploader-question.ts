import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: tables that no earlier release knows.
export class CreateUploaderQuestion1766330002000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE uploader_question (
        id uuid PRIMARY KEY,
        review_id uuid NOT NULL REFERENCES review (id),
        question text NOT NULL,
        asked_by text NOT NULL,
        asked_by_name text NOT NULL,
        asked_at bigint NOT NULL,
        -- The account, or mail:ADDRESS of somebody without one.
        person_id text NOT NULL,
        person_name text NOT NULL,
        email text NOT NULL,
        answer_by bigint NOT NULL,
        ended_at bigint,
        ended_as text CHECK (ended_as IN ('answered', 'silent', 'over')),
        CHECK ((ended_at IS NULL) = (ended_as IS NULL))
      )`);
    // One at a time.
    await db.query(`
      CREATE UNIQUE INDEX uploader_question_open ON uploader_question (review_id) WHERE ended_at IS NULL`);
    // Serves the look for those that nobody answered in time.
    await db.query(
      `CREATE INDEX uploader_question_due ON uploader_question (answer_by) WHERE ended_at IS NULL`,
    );
    // One for each attempt to send the mail: an earlier one may have arrived. Token and code are kept nowhere.
    await db.query(`
      CREATE TABLE uploader_question_link (
        token_sha256 bytea PRIMARY KEY,
        code_sha256 bytea NOT NULL,
        question_id uuid NOT NULL REFERENCES uploader_question (id),
        wrong_codes int NOT NULL DEFAULT 0,
        created_at bigint NOT NULL
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE uploader_question_link`);
    await db.query(`DROP TABLE uploader_question`);
  }
}
