import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: a table that no earlier release knows.
export class CreateSlackHomeTab1766410000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE slack_home_tab (
        team_id text NOT NULL,
        user_id text NOT NULL,
        -- What its reader chose to see.
        filter text NOT NULL,
        opened_at bigint NOT NULL,
        -- Of what was published last, and Slack's own mark of it; null before anything was.
        shown_sha256 bytea,
        view_hash text,
        PRIMARY KEY (team_id, user_id)
      )`);
    // Serves those that were opened lately, and the end of those that were not.
    await db.query(`CREATE INDEX slack_home_tab_opened ON slack_home_tab (opened_at)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE slack_home_tab`);
  }
}
