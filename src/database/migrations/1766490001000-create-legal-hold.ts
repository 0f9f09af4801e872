import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only a new table. Nodes of the version before do not ask it: lay holds once all are updated.
export class CreateLegalHold1766490001000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE legal_hold (
        id uuid PRIMARY KEY,
        reason text NOT NULL,
        -- It keeps what meets all of what is said, and something is.
        from_at bigint,
        to_at bigint CHECK (to_at > from_at),
        endpoint_id text,
        bucket text,
        key_prefix text,
        review_id uuid,
        workflow_id text,
        placed_by text NOT NULL,
        placed_by_name text NOT NULL,
        placed_at bigint NOT NULL,
        lifted_by text,
        lifted_by_name text,
        lifted_at bigint,
        lift_reason text,
        CHECK (num_nonnulls(from_at, to_at, bucket, review_id, workflow_id) > 0),
        CHECK (bucket IS NOT NULL OR (endpoint_id IS NULL AND key_prefix IS NULL)),
        CHECK ((lifted_at IS NULL) = (lifted_by IS NULL AND lift_reason IS NULL))
      )`);
    // Serves the list, newest first.
    await db.query(`CREATE INDEX legal_hold_placed ON legal_hold (placed_at DESC, id DESC)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE legal_hold`);
  }
}
