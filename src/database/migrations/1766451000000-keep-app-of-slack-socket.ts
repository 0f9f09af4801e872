import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: a column that may be empty, which the version before leaves alone.
export class KeepAppOfSlackSocket1766451000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // The app that greeted, which is that of the app token; null while it is not connected.
    await db.query(`ALTER TABLE slack_socket ADD COLUMN app_id text`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE slack_socket DROP COLUMN app_id`);
  }
}
