import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only new tables.
export class CreateSlackIdentity1764020002000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE slack_identity (
        team_id text NOT NULL,
        user_id text NOT NULL,
        person_id text NOT NULL,
        person_name text NOT NULL,
        linked_at bigint NOT NULL,
        PRIMARY KEY (team_id, user_id)
      )`);
    await db.query(`
      CREATE TABLE slack_link_request (
        token_sha256 bytea PRIMARY KEY,
        team_id text NOT NULL,
        user_id text NOT NULL,
        user_name text NOT NULL,
        created_at bigint NOT NULL,
        expires_at bigint NOT NULL
      )`);
    // Serves the removal of requests that nobody followed.
    await db.query(`CREATE INDEX slack_link_request_expires ON slack_link_request (expires_at)`);
    await db.query(`CREATE TABLE slack_pace (name text PRIMARY KEY, next_at bigint NOT NULL)`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of ['slack_pace', 'slack_link_request', 'slack_identity'])
      await db.query(`DROP TABLE ${table}`);
  }
}
