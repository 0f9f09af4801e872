import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: a link of the version before has neither column, and takes no reply and no bounce.
export class CreateMailIn1766360000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // SHA-256 of the token in a mail's own addresses, and the digest of what the mail showed.
    await db.query(`ALTER TABLE review_link ADD COLUMN mail_sha256 bytea, ADD COLUMN subject_digest text`);
    // What came in answer to a mail, each once.
    await db.query(`
      CREATE TABLE mail_received (
        link_id text NOT NULL REFERENCES review_link (id) ON DELETE CASCADE,
        message_sha256 bytea NOT NULL,
        at bigint NOT NULL,
        PRIMARY KEY (link_id, message_sha256)
      )`);
    // Addresses that take no mail, in lower case.
    await db.query(`
      CREATE TABLE mail_suspension (
        email text PRIMARY KEY,
        since bigint NOT NULL,
        status text NOT NULL,
        person_id text NOT NULL,
        person_name text NOT NULL
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE mail_suspension`);
    await db.query(`DROP TABLE mail_received`);
    await db.query(`ALTER TABLE review_link DROP COLUMN mail_sha256, DROP COLUMN subject_digest`);
  }
}
