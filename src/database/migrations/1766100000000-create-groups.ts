import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: new tables, and columns that nodes which do not know them leave as they are.
export class CreateGroups1766100000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE access_group (
        id uuid PRIMARY KEY,
        name text NOT NULL,
        -- What every member may do beside their own.
        roles text[] NOT NULL DEFAULT '{}',
        created_at bigint NOT NULL,
        created_by text NOT NULL
      )`);
    // Two groups that differ in case only would be taken for one another.
    await db.query(`CREATE UNIQUE INDEX access_group_name ON access_group (lower(name))`);
    await db.query(`
      CREATE TABLE access_group_member (
        group_id uuid NOT NULL REFERENCES access_group (id) ON DELETE CASCADE,
        user_id uuid NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
        PRIMARY KEY (group_id, user_id)
      )`);
    // Serves a person's roles, at each of their requests.
    await db.query(`CREATE INDEX access_group_member_user ON access_group_member (user_id)`);
    await db.query(`ALTER TABLE app_user ADD COLUMN display_name text`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE app_user DROP COLUMN display_name`);
    await db.query(`DROP TABLE access_group_member`);
    await db.query(`DROP TABLE access_group`);
  }
}
