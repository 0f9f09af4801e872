import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only new tables.
export class CreateAccess1763910000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE app_user (
        id uuid PRIMARY KEY,
        name text NOT NULL UNIQUE,
        email text,
        password_hash text NOT NULL,
        roles text[] NOT NULL,
        disabled boolean NOT NULL DEFAULT false,
        created_at bigint NOT NULL
      )`);
    await db.query(`
      CREATE TABLE app_session (
        token_sha256 bytea PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
        created_at bigint NOT NULL,
        expires_at bigint NOT NULL
      )`);
    // Serves the removal of expired sessions.
    await db.query(`CREATE INDEX app_session_expires ON app_session (expires_at)`);
    await db.query(`
      CREATE TABLE api_key (
        id text PRIMARY KEY,
        name text NOT NULL,
        secret_sha256 bytea NOT NULL,
        roles text[] NOT NULL,
        disabled boolean NOT NULL DEFAULT false,
        created_at bigint NOT NULL
      )`);
    await db.query(`
      CREATE TABLE keyring (
        id text PRIMARY KEY,
        purpose text NOT NULL,
        sealed bytea NOT NULL,
        created_at bigint NOT NULL,
        retired_at bigint
      )`);
    // One key in use per purpose; the retired ones stay to verify what they signed.
    await db.query(`CREATE UNIQUE INDEX keyring_current ON keyring (purpose) WHERE retired_at IS NULL`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of ['keyring', 'api_key', 'app_session', 'app_user'])
      await db.query(`DROP TABLE ${table}`);
  }
}
