import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only a new table.
export class CreateDeadLetterWatch1766020003000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // One row for each event queue: what was last seen of it and of its dead-letter queue.
    await db.query(`
      CREATE TABLE dead_letter_watch (
        queue text PRIMARY KEY,
        checked_at bigint NOT NULL,
        waiting bigint,
        dead_letter_name text,
        depth bigint NOT NULL DEFAULT 0,
        -- Depth of which people were told; they are told again when it rises beyond.
        told_depth bigint NOT NULL DEFAULT 0,
        problem text,
        remedy text
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE dead_letter_watch`);
  }
}
