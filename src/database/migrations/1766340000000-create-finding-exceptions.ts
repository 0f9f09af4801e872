import type { MigrationInterface, QueryRunner } from 'typeorm';

/*
 * What people decided about findings: suppressed, no danger, or a risk that is borne for a time. Workers may stay up: a new
 * table, and a column that nodes which do not know it leave empty.
 */
export class CreateFindingExceptions1766340000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE finding_exception (
        -- Also the id of the workflow that asks for it.
        id uuid PRIMARY KEY,
        kind text NOT NULL CHECK (kind IN ('suppressed', 'false_positive', 'accepted_risk')),
        scope text NOT NULL CHECK (scope IN ('finding', 'secret', 'rule')),
        finding_kind text NOT NULL CHECK (finding_kind IN ('secret', 'malware')),
        rule_id text NOT NULL,
        -- Absent where it is for all that a rule finds.
        fingerprint text,
        -- Of one finding: where it was found, and in which bytes. Of a rule: in which bucket, under which prefix.
        endpoint_id text,
        bucket text,
        key text,
        member_path text,
        sha256 text,
        key_prefix text,
        reason text NOT NULL,
        state text NOT NULL CHECK (state IN ('REQUESTED', 'IN_FORCE', 'REFUSED', 'WITHDRAWN', 'EXPIRED', 'EXTENDED')),
        expires_at bigint NOT NULL,
        requested_by text NOT NULL,
        requested_by_name text NOT NULL,
        requested_at bigint NOT NULL,
        review_id uuid,
        decided_by text,
        decided_by_name text,
        decided_at bigint,
        decision_reason text,
        ended_at bigint,
        ended_by text,
        end_reason text,
        -- How many days ahead people were last warned of its end.
        warned_days int,
        -- When the clock has something to do next: a warning, or the end.
        next_at bigint,
        -- The one whose time this goes on with.
        extends uuid REFERENCES finding_exception (id),
        CHECK ((fingerprint IS NULL) = (scope = 'rule')),
        CHECK (scope <> 'rule' OR bucket IS NOT NULL),
        CHECK (state <> 'IN_FORCE' OR (decided_by IS NOT NULL AND decided_by <> requested_by)),
        CHECK ((next_at IS NULL) = (state NOT IN ('REQUESTED', 'IN_FORCE')))
      )`);
    // Serve the lookup of what a scan found.
    await db.query(
      `CREATE INDEX finding_exception_fingerprint ON finding_exception (fingerprint) WHERE state = 'IN_FORCE'`,
    );
    await db.query(
      `CREATE INDEX finding_exception_rule ON finding_exception (rule_id, bucket)
       WHERE state = 'IN_FORCE' AND scope = 'rule'`,
    );
    // Serves the clock.
    await db.query(
      `CREATE INDEX finding_exception_next ON finding_exception (next_at) WHERE next_at IS NOT NULL`,
    );
    // Serves the list, newest first.
    await db.query(`CREATE INDEX finding_exception_list ON finding_exception (requested_at DESC, id DESC)`);
    // One extension at a time may be asked for.
    await db.query(
      `CREATE UNIQUE INDEX finding_exception_extension ON finding_exception (extends)
       WHERE state IN ('REQUESTED', 'IN_FORCE')`,
    );
    await db.query(`ALTER TABLE finding ADD COLUMN exception_id uuid`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE finding DROP COLUMN exception_id`);
    await db.query(`DROP TABLE finding_exception`);
  }
}
