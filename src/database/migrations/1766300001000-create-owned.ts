import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: a new table only.
export class CreateOwned1766300001000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE access_owned (
        -- 'bucket', 'queue', 'workflow' or 'trigger'.
        kind text NOT NULL,
        -- Of a bucket, endpoint/bucket. There need be nothing of the name yet.
        name text NOT NULL,
        group_id uuid NOT NULL REFERENCES access_group (id) ON DELETE CASCADE,
        given_at bigint NOT NULL,
        given_by text NOT NULL,
        PRIMARY KEY (kind, name)
      )`);
    // Serves what a group owns, and the deletion of a group.
    await db.query(`CREATE INDEX access_owned_group ON access_owned (group_id)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE access_owned`);
  }
}
