import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only new tables.
export class CreateExternalPayload1764140001000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // One row per value in a payload store. Written before the value, and marked as used by the commit that refers to
    // it: what is not used for a day belongs to nobody. `doomed` is being removed and can never be used again.
    await db.query(`
      CREATE TABLE external_payload (
        key text COLLATE "C" PRIMARY KEY,
        workflow_id text COLLATE "C" NOT NULL,
        store text COLLATE "C" NOT NULL,
        bytes bigint NOT NULL,
        created_at bigint NOT NULL,
        state text COLLATE "C" NOT NULL CHECK (state IN ('written', 'used', 'doomed'))
      )`);
    // Serves the removal of a workflow.
    await db.query(`CREATE INDEX external_payload_workflow ON external_payload (workflow_id)`);
    // Serves the sweep: what is in use, nearly all, is not in it.
    await db.query(
      `CREATE INDEX external_payload_unused ON external_payload (created_at) WHERE state <> 'used'`,
    );
    // The payload store that needs nothing but this database. Values never change: no free space for updates.
    await db.query(`
      CREATE TABLE payload_text (
        key text COLLATE "C" PRIMARY KEY,
        body text NOT NULL
      ) WITH (autovacuum_vacuum_scale_factor = 0.02, toast.autovacuum_vacuum_scale_factor = 0.02)`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of ['payload_text', 'external_payload']) await db.query(`DROP TABLE ${table}`);
  }
}
