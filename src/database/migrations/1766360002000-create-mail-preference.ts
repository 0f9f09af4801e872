import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only a new table, which the version before does not ask and so mails everybody.
export class CreateMailPreference1766360002000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // Who wants less mail than all there is.
    await db.query(`
      CREATE TABLE mail_preference (
        person_id text PRIMARY KEY,
        reviews text NOT NULL CHECK (reviews IN ('mine')),
        since bigint NOT NULL
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE mail_preference`);
  }
}
