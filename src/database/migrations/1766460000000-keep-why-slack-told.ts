import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: a column that may be empty, which the version before leaves alone.
export class KeepWhySlackTold1766460000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // Of a direct message: why they were told, by whom, and what was said with it. It is shown as long as the review waits.
    await db.query(`ALTER TABLE review_message ADD COLUMN telling json`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE review_message DROP COLUMN telling`);
  }
}
