import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: a new table, and columns that nodes which do not know them leave as they are.
export class CreateAccessGrants1766100002000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE access_grant (
        id uuid PRIMARY KEY,
        -- 'user', 'group' or 'apikey', and its id as text.
        holder_kind text NOT NULL,
        holder_id text NOT NULL,
        role text NOT NULL,
        -- What the role is held for: of an approver, a review queue.
        scope text NOT NULL,
        created_at bigint NOT NULL,
        created_by text NOT NULL,
        -- Serves the look-up of who asks, at each request, by its first two columns.
        UNIQUE (holder_kind, holder_id, role, scope)
      )`);
    await db.query(`
      ALTER TABLE api_key ADD COLUMN expires_at bigint,
                          ADD COLUMN last_used_at bigint,
                          ADD COLUMN created_by text`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(
      `ALTER TABLE api_key DROP COLUMN created_by, DROP COLUMN last_used_at, DROP COLUMN expires_at`,
    );
    await db.query(`DROP TABLE access_grant`);
  }
}
