import type { MigrationInterface, QueryRunner } from 'typeorm';

/*
 * Who is told of reviews by HTTP. Workers may stay up: what the version before changes is told to no subscription, and
 * it lets timers of the new kind lie.
 */
export class CreateWebhooks1766310002000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE webhook (
        id uuid PRIMARY KEY,
        name text NOT NULL UNIQUE,
        url text NOT NULL,
        -- Encrypted, bound to the id.
        secret text NOT NULL,
        -- The one before, and until when it signs too.
        old_secret text,
        old_until bigint,
        -- Empty: all.
        events text[] NOT NULL,
        queues text[] NOT NULL,
        is_active boolean NOT NULL,
        -- Why it was switched off, where nobody did.
        off_reason text,
        -- Since when nothing arrives; empty while it does.
        failing_since bigint,
        version int NOT NULL DEFAULT 1,
        created_at bigint NOT NULL,
        created_by text NOT NULL,
        updated_at bigint NOT NULL
      )`);
    await db.query(`
      ALTER TABLE review_timer
        DROP CONSTRAINT IF EXISTS review_timer_kind_check,
        ADD CONSTRAINT review_timer_kinds_check
          CHECK (kind IN ('remind', 'escalate', 'expire', 'claim_timeout', 'wake', 'warn')) NOT VALID`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE webhook`);
    await db.query(`DELETE FROM review_timer WHERE kind = 'warn'`);
    await db.query(`
      ALTER TABLE review_timer
        DROP CONSTRAINT IF EXISTS review_timer_kinds_check,
        ADD CONSTRAINT review_timer_kind_check
          CHECK (kind IN ('remind', 'escalate', 'expire', 'claim_timeout', 'wake'))`);
  }
}
