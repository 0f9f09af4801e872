import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only a new table.
export class CreateObjectLock1766060001000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // Unlogged: after a crash of PostgreSQL nobody holds a lock, and no tag waits for a log to be flushed.
    await db.query(`
      CREATE UNLOGGED TABLE object_lock (
        -- SHA-256 of what is locked.
        key text PRIMARY KEY,
        -- The task that writes: handed out again after a crash, it takes its own lock over.
        holder text NOT NULL,
        expires_at bigint NOT NULL
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE object_lock`);
  }
}
