import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only a new table. A node that does not know it takes a probe's event for an upload that is gone.
export class CreateProbes1766070000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE doctor_probe (
        id uuid PRIMARY KEY,
        endpoint_id text NOT NULL,
        bucket text NOT NULL,
        created_at bigint NOT NULL,
        -- What was put, once it was.
        version_id text,
        e_tag text,
        -- When its event came in, and by which way.
        arrived_at bigint,
        source_kind text,
        -- When it was removed again; from then on only its own events are ours.
        finished_at bigint
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE doctor_probe`);
  }
}
