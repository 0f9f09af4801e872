import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only new tables.
export class CreateReport1763920000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE report (
        id uuid PRIMARY KEY,
        kind text NOT NULL,
        label text NOT NULL,
        period_from bigint NOT NULL,
        period_to bigint NOT NULL,
        -- Made by the clock for a whole period, or asked for by somebody.
        scheduled boolean NOT NULL,
        requested_by text NOT NULL,
        status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'ready')),
        workflow_id text NOT NULL,
        created_at bigint NOT NULL,
        rendered_at bigint,
        mailed_at bigint,
        coverage json,
        json_body text,
        html_body text,
        sha256 text
      )`);
    // Exactly one report of the clock per period, however many processes wake up for it.
    await db.query(
      `CREATE UNIQUE INDEX report_period ON report (kind, period_from, period_to) WHERE scheduled`,
    );
    // Serves the list, newest first.
    await db.query(`CREATE INDEX report_created ON report (created_at DESC, id DESC)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE report`);
  }
}
