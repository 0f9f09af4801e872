import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only a new table and its first row.
export class CreateTriggerRules1764012000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE trigger_rule (
        name text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9_.-]{0,99}$'),
        effect text NOT NULL CHECK (effect IN ('allow', 'deny')),
        -- Lower first among the allowing rules.
        position int NOT NULL,
        bucket text,
        prefix text,
        suffix text,
        min_size_bytes bigint,
        max_size_bytes bigint,
        event_kinds text[] NOT NULL,
        workflow_name text NOT NULL,
        priority int NOT NULL CHECK (priority BETWEEN 0 AND 99),
        enabled boolean NOT NULL
      )`);
    await db.query(`
      INSERT INTO trigger_rule (name, effect, position, event_kinds, workflow_name, priority, enabled)
      VALUES ('every_upload', 'allow', 100, '{created,restored}', 'scan_upload', 50, true)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE trigger_rule`);
  }
}
