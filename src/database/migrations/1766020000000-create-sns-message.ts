import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only a new table.
export class CreateSnsMessage1766020000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE sns_message (
        topic_arn text NOT NULL,
        message_id text NOT NULL,
        at bigint NOT NULL,
        PRIMARY KEY (topic_arn, message_id)
      )`);
    // Serves the forgetting of old ones.
    await db.query(`CREATE INDEX sns_message_at ON sns_message (at)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE sns_message`);
  }
}
