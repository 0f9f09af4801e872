import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: columns that may be empty, which the version before leaves alone.
export class KeepAccountOfSlackCopies1766450000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // The Slack account whose direct messages they are; none for a channel, and for what an older release posted.
    await db.query(`ALTER TABLE review_message ADD COLUMN slack_user_id text`);
    await db.query(`ALTER TABLE slack_storm ADD COLUMN user_id text`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE review_message DROP COLUMN slack_user_id`);
    await db.query(`ALTER TABLE slack_storm DROP COLUMN user_id`);
  }
}
