import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: tables that no earlier release knows.
export class CreateSlackInbound1766400000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // Whose workspace a bot token is for, for nodes that Slack does not answer just then.
    await db.query(`
      CREATE TABLE slack_home (
        token_sha256 bytea PRIMARY KEY,
        team_id text NOT NULL,
        team_name text,
        enterprise_id text,
        app_id text,
        bot_user_id text,
        bot_id text,
        scopes text[] NOT NULL,
        asked_at bigint NOT NULL
      )`);
    // Requests of Slack that were taken: the same signature is taken once.
    await db.query(`
      CREATE TABLE slack_request (
        signature_sha256 bytea PRIMARY KEY,
        forget_at bigint NOT NULL
      )`);
    // Serves the removal of those that are too old to be taken again anyway.
    await db.query(`CREATE INDEX slack_request_forget ON slack_request (forget_at)`);
    await db.query(`
      CREATE TABLE slack_event (
        event_id text PRIMARY KEY,
        -- Whoever has it has so long; nobody does once it is done.
        held_until bigint NOT NULL,
        done_at bigint,
        forget_at bigint NOT NULL
      )`);
    // Serves the removal of those that Slack tells no more.
    await db.query(`CREATE INDEX slack_event_forget ON slack_event (forget_at)`);
    // Which nodes keep a Socket Mode connection, and how it is.
    await db.query(`
      CREATE TABLE slack_socket (
        slot smallint PRIMARY KEY,
        holder text NOT NULL,
        held_until bigint NOT NULL,
        -- Null while it is not connected.
        connected_at bigint,
        last_hello_at bigint,
        last_error text
      )`);
    // What Slack last said of an account that somebody acted with.
    await db.query(`
      CREATE TABLE slack_account (
        team_id text NOT NULL,
        user_id text NOT NULL,
        standing text NOT NULL,
        name text,
        checked_at bigint NOT NULL,
        PRIMARY KEY (team_id, user_id)
      )`);
    // Serves the removal of those that nobody acted with for long.
    await db.query(`CREATE INDEX slack_account_checked ON slack_account (checked_at)`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of ['slack_account', 'slack_socket', 'slack_event', 'slack_request', 'slack_home'])
      await db.query(`DROP TABLE ${table}`);
  }
}
