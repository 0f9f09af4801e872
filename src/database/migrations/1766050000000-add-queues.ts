import type { MigrationInterface, QueryRunner } from 'typeorm';

/*
 * Few rows live, every one of them is soon dead, and each look reads past the dead heads of an index until a vacuum takes
 * them: the count decides, not a share of the size.
 */
const QUEUE = `
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 2000,
  autovacuum_analyze_scale_factor = 0,
  autovacuum_analyze_threshold = 5000,
  autovacuum_vacuum_cost_limit = 2000`;

// Workers may stay up: new tables, and columns with constant defaults.
export class AddQueues1766050000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE backlog_item
        ADD COLUMN source_class text NOT NULL DEFAULT 'upload',
        -- As the event told it; unknown until inspect where it told nothing.
        ADD COLUMN size_bytes bigint,
        -- Waits for not_before after a start that failed: out of the index that is looked at.
        ADD COLUMN postponed boolean NOT NULL DEFAULT false`);
    await db.query(`ALTER TABLE backlog_item SET (${QUEUE})`);
    // Of the item that was started; absent before, and on scans of the version before.
    await db.query(`ALTER TABLE scan ADD COLUMN source_class text`);

    // What people stopped: all queues, those of one bucket or class, or a single one.
    await db.query(`
      CREATE TABLE backlog_pause (
        queue text PRIMARY KEY,
        endpoint_id text,
        bucket text,
        source_class text,
        reason text,
        paused_by text NOT NULL,
        paused_at bigint NOT NULL,
        CHECK ((endpoint_id IS NULL) = (bucket IS NULL))
      )`);

    // Scans that could not be started, with everything that starting them again needs.
    await db.query(`
      CREATE TABLE dead_letter (
        scan_id uuid PRIMARY KEY REFERENCES scan (id),
        object_id uuid NOT NULL REFERENCES object_version (id),
        endpoint_id text NOT NULL,
        bucket text NOT NULL,
        source_class text NOT NULL,
        priority int NOT NULL,
        workflow_name text NOT NULL,
        workflow_id text NOT NULL,
        workflow_version int,
        input json NOT NULL,
        size_bytes bigint,
        enqueued_at bigint NOT NULL,
        attempts int NOT NULL,
        code text NOT NULL,
        reason text NOT NULL,
        died_at bigint NOT NULL
      )`);
    // Serves listDeadLetters.
    await db.query(`CREATE INDEX dead_letter_died ON dead_letter (died_at DESC, scan_id DESC)`);
    await db.query(`CREATE INDEX dead_letter_bucket ON dead_letter (bucket, died_at DESC, scan_id DESC)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE dead_letter`);
    await db.query(`DROP TABLE backlog_pause`);
    await db.query(`ALTER TABLE scan DROP COLUMN source_class`);
    await db.query(`
      ALTER TABLE backlog_item RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold,
        autovacuum_analyze_scale_factor, autovacuum_analyze_threshold, autovacuum_vacuum_cost_limit)`);
    await db.query(`
      ALTER TABLE backlog_item DROP COLUMN postponed, DROP COLUMN size_bytes, DROP COLUMN source_class`);
  }
}
