import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only new tables.
export class CreateSchedules1766030000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE schedule (
        id uuid PRIMARY KEY,
        name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9_.-]{0,99}$'),
        description text,
        kind text NOT NULL,
        payload json NOT NULL,
        cron text NOT NULL,
        time_zone text NOT NULL,
        catch_up text NOT NULL CHECK (catch_up IN ('none', 'last', 'all')),
        catch_up_within_seconds int NOT NULL CHECK (catch_up_within_seconds >= 60),
        enabled boolean NOT NULL,
        -- NULL: never again. The due instants before it are rows of schedule_firing.
        next_fire_at bigint,
        last_fire_at bigint,
        last_outcome text CHECK (last_outcome IN ('done', 'retrying', 'failed', 'missed')),
        last_error text,
        version int NOT NULL,
        created_at bigint NOT NULL,
        created_by text NOT NULL,
        updated_at bigint NOT NULL,
        updated_by text NOT NULL
      ) WITH (fillfactor = 80)`);
    // Serves lockDue: each second, on each node.
    await db.query(`CREATE INDEX schedule_due ON schedule (next_fire_at) WHERE enabled`);
    await db.query(`
      CREATE TABLE schedule_firing (
        schedule_id uuid NOT NULL REFERENCES schedule (id) ON DELETE CASCADE,
        due_at bigint NOT NULL,
        kind text NOT NULL,
        -- missed: those from due_at on, and before missed_until, were not made up for.
        state text NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'missed')),
        requested_by text,
        attempts int NOT NULL DEFAULT 0,
        -- waiting: not before; running: when whoever runs it is taken for dead.
        look_at bigint NOT NULL,
        started_at bigint,
        ended_at bigint,
        missed_until bigint,
        error text,
        PRIMARY KEY (schedule_id, due_at)
      ) WITH (fillfactor = 80)`);
    // Serves claimFirings: each second, on each node.
    await db.query(
      `CREATE INDEX schedule_firing_open ON schedule_firing (look_at) WHERE state IN ('waiting', 'running')`,
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE schedule_firing`);
    await db.query(`DROP TABLE schedule`);
  }
}
