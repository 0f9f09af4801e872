import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only new tables.
export class ChainAudit1766470000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // One row: which chain this is, and how far the events are known to be chained.
    await db.query(`
      CREATE TABLE audit_chain (
        is_one boolean PRIMARY KEY DEFAULT true CHECK (is_one),
        chain_id uuid NOT NULL,
        -- No event up to this id is still to be chained, but for a straggler that the sweep finds.
        settled_id bigint NOT NULL DEFAULT 0,
        -- The sweep has looked at the ids up to here.
        swept_id bigint NOT NULL DEFAULT 0,
        -- The highest id that was there when transactions of this number began, and when that was.
        mark_id bigint NOT NULL DEFAULT 0,
        mark_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
        mark_at bigint NOT NULL DEFAULT 0
      )`);
    await db.query(`INSERT INTO audit_chain (chain_id) VALUES (gen_random_uuid())`);
    await db.query(`
      CREATE TABLE audit_link (
        seq bigint PRIMARY KEY,
        event_id bigint NOT NULL UNIQUE REFERENCES audit_event (id),
        hash bytea NOT NULL CHECK (octet_length(hash) = 32)
      )`);
    await db.query(`
      CREATE TABLE audit_checkpoint (
        seq bigint PRIMARY KEY REFERENCES audit_link (seq),
        head bytea NOT NULL CHECK (octet_length(head) = 32),
        at bigint NOT NULL,
        key_id text NOT NULL,
        signature bytea NOT NULL
      )`);
    // Where a checkpoint stands outside this database.
    await db.query(`
      CREATE TABLE audit_anchor (
        seq bigint NOT NULL REFERENCES audit_checkpoint (seq),
        place text NOT NULL,
        at bigint NOT NULL,
        PRIMARY KEY (seq, place)
      )`);
    for (const table of ['audit_link', 'audit_checkpoint', 'audit_anchor'])
      await db.query(`
        CREATE TRIGGER ${table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ${table}
        FOR EACH STATEMENT EXECUTE FUNCTION audit_event_is_append_only()`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of ['audit_anchor', 'audit_checkpoint', 'audit_link', 'audit_chain'])
      await db.query(`DROP TABLE ${table}`);
  }
}
