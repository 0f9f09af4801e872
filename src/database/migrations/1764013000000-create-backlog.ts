import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only a new table.
export class CreateBacklog1764013000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE backlog_item (
        scan_id uuid PRIMARY KEY REFERENCES scan (id),
        object_id uuid NOT NULL REFERENCES object_version (id),
        endpoint_id text NOT NULL,
        bucket text NOT NULL,
        priority int NOT NULL,
        workflow_name text NOT NULL,
        workflow_id text NOT NULL,
        input json NOT NULL,
        enqueued_at bigint NOT NULL,
        not_before bigint NOT NULL,
        attempts int NOT NULL DEFAULT 0,
        last_error text
      ) WITH (fillfactor = 80)`);
    // Serves waitingItems: the first of each bucket, without reading what waits behind them.
    await db.query(`
      CREATE INDEX backlog_item_turn
      ON backlog_item (endpoint_id, bucket, priority DESC, enqueued_at, scan_id)`);
    // Serves waitingItems' oldest of each bucket, whatever their priority: waiting lifts them.
    await db.query(`CREATE INDEX backlog_item_age ON backlog_item (endpoint_id, bucket, enqueued_at)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE backlog_item`);
  }
}
