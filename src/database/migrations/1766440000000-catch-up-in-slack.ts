import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: a column with a default that the version before leaves alone, and new tables.
export class CatchUpInSlack1766440000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // How often it was posted anew after the place had worked for others, and failed again.
    await db.query(`ALTER TABLE slack_unshown ADD COLUMN tried int NOT NULL DEFAULT 0`);
    // What people said of a review while its thread could not be told.
    await db.query(`
      CREATE TABLE slack_unsaid (
        event_id bigint PRIMARY KEY,
        review_id uuid NOT NULL REFERENCES review (id),
        -- The thread's channel, or that in which it will be.
        place text NOT NULL,
        line json NOT NULL
      )`);
    await db.query(`CREATE INDEX slack_unsaid_place ON slack_unsaid (place)`);
    // Channels in which a review's message may have arrived, written before it is sent.
    await db.query(`
      CREATE TABLE slack_posting (
        review_id uuid NOT NULL REFERENCES review (id),
        channel text NOT NULL,
        PRIMARY KEY (review_id, channel)
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE slack_posting`);
    await db.query(`DROP TABLE slack_unsaid`);
    await db.query(`ALTER TABLE slack_unshown DROP COLUMN tried`);
  }
}
