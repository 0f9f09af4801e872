import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only a new table.
export class CreateOutbox1764020000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        kind text NOT NULL,
        key text NOT NULL,
        order_group text,
        payload json NOT NULL,
        state text NOT NULL DEFAULT 'pending'
          CHECK (state IN ('pending', 'sending', 'ambiguous', 'sent', 'failed')),
        attempt int NOT NULL DEFAULT 0,
        ambiguous boolean NOT NULL DEFAULT false,
        -- When it may be taken; while somebody is sending it, when that lease ends.
        due_at bigint NOT NULL,
        lease_owner text,
        reason text,
        receipt json,
        created_at bigint NOT NULL,
        ended_at bigint,
        UNIQUE (kind, key)
      ) WITH (fillfactor = 80)`);
    // Serves claimDue.
    await db.query(`
      CREATE INDEX outbox_due ON outbox (kind, due_at, id)
      WHERE state IN ('pending', 'sending', 'ambiguous')`);
    // Serves claimDue's "nothing of my group is before me".
    await db.query(`
      CREATE INDEX outbox_group ON outbox (order_group, id)
      WHERE order_group IS NOT NULL AND state IN ('pending', 'sending', 'ambiguous')`);
    // Serves outboxHealth.
    await db.query(`CREATE INDEX outbox_failed ON outbox (kind, ended_at DESC) WHERE state = 'failed'`);
    // Serves the purge of what was sent long ago.
    await db.query(`CREATE INDEX outbox_sent ON outbox (ended_at) WHERE state = 'sent'`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE outbox`);
  }
}
