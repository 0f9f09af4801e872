import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: new tables only.
export class CreateLoginFailures1766100003000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE login_failure (
        -- 'name' or 'address'.
        kind text NOT NULL,
        -- SHA-256: what was typed as a name may be a password.
        subject bytea NOT NULL,
        count int NOT NULL,
        since bigint NOT NULL,
        PRIMARY KEY (kind, subject)
      )`);
    // Serves the removal of those that count no more.
    await db.query(`CREATE INDEX login_failure_since ON login_failure (since)`);
    await db.query(`
      CREATE TABLE findings_read (
        actor text NOT NULL,
        subject text NOT NULL,
        -- Of the Unix epoch.
        hour bigint NOT NULL,
        PRIMARY KEY (actor, subject, hour)
      )`);
    // Serves the removal of hours that have passed.
    await db.query(`CREATE INDEX findings_read_hour ON findings_read (hour)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE findings_read`);
    await db.query(`DROP TABLE login_failure`);
  }
}
