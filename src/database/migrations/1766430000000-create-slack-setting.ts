import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: three tables that no earlier release knows.
export class CreateSlackSetting1766430000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE slack_setting (
        name text PRIMARY KEY,
        -- Encrypted with a key of the keyring, but for the channel, which is no secret.
        value text NOT NULL,
        -- The last characters of a secret, by which people tell it from another; never more.
        hint text,
        set_by text NOT NULL,
        set_by_name text NOT NULL,
        set_at bigint NOT NULL
      )`);
    await db.query(`
      CREATE TABLE slack_route (
        queue text PRIMARY KEY,
        channel text NOT NULL,
        channel_name text,
        set_by text NOT NULL,
        set_by_name text NOT NULL,
        set_at bigint NOT NULL
      )`);
    // One row, raised by every change of the two: what each process looks at to see whether there is anything new.
    await db.query(`
      CREATE TABLE slack_setup (
        only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
        revision bigint NOT NULL
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of ['slack_setup', 'slack_route', 'slack_setting'])
      await db.query(`DROP TABLE ${table}`);
  }
}
