import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only a new table.
export class KeepWhatSlackSaidOfComments1766462000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE slack_said_comment (
        comment_id uuid PRIMARY KEY,
        -- The latest that its thread was told; 0 where it is not known which.
        version int NOT NULL
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE slack_said_comment`);
  }
}
