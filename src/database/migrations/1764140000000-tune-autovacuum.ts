import type { MigrationInterface, QueryRunner } from 'typeorm';

/*
 * PostgreSQL's defaults wait until a fifth of a table is dead. With 100 million tasks that is 20 million rows of bloat
 * before the first vacuum, which then takes hours. One percent keeps the bloat at that, and each vacuum short.
 */
const LARGE = {
  autovacuum_vacuum_scale_factor: '0.01',
  autovacuum_vacuum_threshold: '5000',
  // Freezes what only grows bit by bit, instead of all of it at once before a wraparound.
  autovacuum_vacuum_insert_scale_factor: '0.05',
  autovacuum_analyze_scale_factor: '0.02',
  // Ten times the default's work between two naps of 2 ms: it has to keep up with thousands of updates a second.
  autovacuum_vacuum_cost_limit: '2000',
};

/*
 * Queues: few rows live, every one of them is soon dead, and each claim reads past the dead heads of an index until a
 * vacuum takes them. A share of the size would mean nothing here, so the count decides.
 */
const QUEUE = {
  autovacuum_vacuum_scale_factor: '0',
  autovacuum_vacuum_threshold: '2000',
  autovacuum_analyze_scale_factor: '0',
  autovacuum_analyze_threshold: '5000',
  autovacuum_vacuum_cost_limit: '2000',
};

const SETTINGS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  workflow: LARGE,
  workflow_payload: LARGE,
  task: LARGE,
  task_log: LARGE,
  applied_command: LARGE,
  workflow_timer: QUEUE,
  workflow_inbox: QUEUE,
  node: QUEUE,
  poll_data: QUEUE,
};

// Workers may stay up: a lock that only other schema changes and vacuums wait for.
export class TuneAutovacuum1764140000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    for (const [table, settings] of Object.entries(SETTINGS)) {
      const list = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
      await db.query(`ALTER TABLE ${table} SET (${list.join(', ')})`);
    }
  }

  async down(db: QueryRunner): Promise<void> {
    for (const [table, settings] of Object.entries(SETTINGS)) {
      await db.query(`ALTER TABLE ${table} RESET (${Object.keys(settings).join(', ')})`);
    }
  }
}
