import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only a new table.
export class CreateRemedy1766340003000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // Findings that people call real, and what becomes of them.
    await db.query(`
      CREATE TABLE remedy (
        -- Also the id of the workflow that follows it.
        id uuid PRIMARY KEY,
        finding_kind text NOT NULL CHECK (finding_kind IN ('secret', 'malware')),
        rule_id text NOT NULL,
        fingerprint text NOT NULL,
        finding_title text NOT NULL,
        scan_id uuid NOT NULL,
        endpoint_id text NOT NULL,
        bucket text NOT NULL,
        key text NOT NULL,
        member_path text NOT NULL,
        sha256 text,
        -- Whom it asks, as definitions name them; empty: everybody who may decide.
        owner text[] NOT NULL,
        state text NOT NULL CHECK (state IN ('OPEN', 'REMEDIED', 'RETURNED')),
        opened_at bigint NOT NULL,
        due_at bigint NOT NULL,
        due_days int NOT NULL,
        escalate_to text[] NOT NULL,
        proof text CHECK (proof IN ('rotated', 'revoked', 'deleted', 'accepted')),
        proof_note text,
        remedied_at bigint,
        remedied_by text,
        remedied_by_name text,
        review_id uuid,
        -- Why what was given as proof was none.
        refused text,
        returned_at bigint,
        -- The one whose finding came back.
        follows uuid REFERENCES remedy (id),
        CHECK ((state = 'OPEN') = (remedied_at IS NULL)),
        CHECK ((proof IS NULL) = (remedied_at IS NULL)),
        CHECK ((state = 'RETURNED') = (returned_at IS NOT NULL))
      )`);
    // Serves the question whether what a scan found was remedied, or is being.
    await db.query(
      `CREATE INDEX remedy_fingerprint ON remedy (fingerprint) WHERE state IN ('OPEN', 'REMEDIED')`,
    );
    // Serves the list, newest first, and the figures of a time.
    await db.query(`CREATE INDEX remedy_opened ON remedy (opened_at DESC, id DESC)`);
    await db.query(`CREATE INDEX remedy_remedied ON remedy (remedied_at) WHERE remedied_at IS NOT NULL`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE remedy`);
  }
}
