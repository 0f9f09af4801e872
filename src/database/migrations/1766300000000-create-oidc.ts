import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: new tables only.
export class CreateOidc1766300000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE oidc_identity (
        issuer text NOT NULL,
        subject text NOT NULL,
        user_id uuid NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
        -- What the provider's groups gave at the last sign-in, and so may take away at the next one.
        given_roles text[] NOT NULL DEFAULT '{}',
        given_groups uuid[] NOT NULL DEFAULT '{}',
        bound_at bigint NOT NULL,
        bound_by text NOT NULL,
        signed_in_at bigint,
        PRIMARY KEY (issuer, subject)
      )`);
    // Serves an account's identity; of one provider an account has one.
    await db.query(`CREATE UNIQUE INDEX oidc_identity_user ON oidc_identity (user_id, issuer)`);
    await db.query(`
      CREATE TABLE oidc_used_state (
        -- SHA-256 of a sign-in's state; none is finished twice.
        state_sha256 bytea PRIMARY KEY,
        expires_at bigint NOT NULL
      )`);
    // Serves the removal of those that would have expired.
    await db.query(`CREATE INDEX oidc_used_state_expires ON oidc_used_state (expires_at)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE oidc_used_state`);
    await db.query(`DROP TABLE oidc_identity`);
  }
}
