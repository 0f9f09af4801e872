import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only new tables.
export class CreateLedger1764010000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE object_version (
        id uuid PRIMARY KEY,
        endpoint_id text NOT NULL,
        bucket text NOT NULL,
        key text NOT NULL,
        version_id text,
        -- Digest of (endpoint, bucket, key, what tells this version from others); provisional until inspect fixes it.
        identity text NOT NULL UNIQUE,
        identity_fixed boolean NOT NULL,
        e_tag text,
        size_bytes bigint,
        last_modified text,
        content_type text,
        detected_type text,
        storage_class text,
        origin text NOT NULL CHECK (origin IN ('event', 'request')),
        -- Sequences compare within one domain and key only.
        sequence_domain text,
        sequence text COLLATE "C",
        is_latest boolean NOT NULL,
        uploaded_at bigint NOT NULL,
        first_seen_at bigint NOT NULL,
        deleted_at bigint,
        -- Inspect found that another row already stands for these bytes.
        folded_into uuid REFERENCES object_version (id),
        generation int NOT NULL DEFAULT 0,
        verdict text NOT NULL DEFAULT 'pending',
        verdict_id bigint,
        verdict_generation int NOT NULL DEFAULT -1,
        workflow_id text,
        decision text,
        decided_at bigint,
        action text,
        action_performed boolean,
        acted_at bigint
      ) WITH (fillfactor = 80)`);
    // Serves listObjects without a filter, and coverage.
    await db.query(`
      CREATE INDEX object_version_seen ON object_version (first_seen_at DESC, id DESC)
      WHERE folded_into IS NULL`);
    // Serves listObjects by bucket.
    await db.query(`
      CREATE INDEX object_version_bucket ON object_version (bucket, first_seen_at DESC, id DESC)
      WHERE folded_into IS NULL`);
    // Serves listObjects by verdict.
    await db.query(`
      CREATE INDEX object_version_verdict ON object_version (verdict, first_seen_at DESC, id DESC)
      WHERE folded_into IS NULL`);
    // Serves listObjects by key or prefix, and the states of one key that intake compares.
    await db.query(`
      CREATE INDEX object_version_key ON object_version (bucket, key text_pattern_ops, first_seen_at DESC)`);
    // Serves coverage's count of what was folded.
    await db.query(`
      CREATE INDEX object_version_folded ON object_version (first_seen_at) WHERE folded_into IS NOT NULL`);

    await db.query(`
      CREATE TABLE scan (
        id uuid PRIMARY KEY,
        object_id uuid NOT NULL REFERENCES object_version (id),
        generation int NOT NULL,
        origin text NOT NULL CHECK (origin IN ('event', 'request')),
        requested_by text NOT NULL,
        -- The trigger rule that asked for it.
        rule text,
        -- A request, not an event, made the object's row; coverage counts it among the uploads.
        opened_object boolean NOT NULL,
        workflow_name text NOT NULL,
        workflow_id text NOT NULL,
        requested_at bigint NOT NULL,
        started_at bigint,
        verdict_at bigint,
        closed_at bigint,
        duplicate_of uuid,
        failure text,
        secrets_total int NOT NULL DEFAULT 0,
        malware_total int NOT NULL DEFAULT 0,
        UNIQUE (object_id, generation)
      ) WITH (fillfactor = 80)`);
    // Serves the dispatcher's count of what runs: started, and neither judged nor over.
    await db.query(`
      CREATE INDEX scan_running ON scan (started_at)
      WHERE started_at IS NOT NULL AND verdict_at IS NULL AND closed_at IS NULL`);
    // Serves coverage's count of rows that requests opened.
    await db.query(`CREATE INDEX scan_opened ON scan (requested_at) WHERE opened_object`);

    await db.query(`
      CREATE TABLE verdict (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        object_id uuid NOT NULL REFERENCES object_version (id),
        -- Absent where no scan was needed to say it: skipped by a rule, superseded before it was looked at.
        scan_id uuid REFERENCES scan (id),
        generation int NOT NULL,
        verdict text NOT NULL,
        reason text NOT NULL,
        detail text,
        engines json NOT NULL,
        bytes_scanned bigint NOT NULL,
        bytes_total bigint NOT NULL,
        sha256 text,
        not_covered json NOT NULL,
        workflow_id text,
        at bigint NOT NULL
      )`);
    // Serves one object's history and its newest verdict.
    await db.query(`CREATE INDEX verdict_object ON verdict (object_id, generation DESC, id DESC)`);
    await db.query(`
      CREATE FUNCTION verdict_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'verdict is append-only';
      END $$`);
    await db.query(`
      CREATE TRIGGER verdict_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON verdict
      FOR EACH STATEMENT EXECUTE FUNCTION verdict_is_append_only()`);

    await db.query(`
      CREATE TABLE finding (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        scan_id uuid NOT NULL REFERENCES scan (id),
        object_id uuid NOT NULL REFERENCES object_version (id),
        kind text NOT NULL CHECK (kind IN ('secret', 'malware')),
        rule_id text NOT NULL,
        title text NOT NULL,
        severity text NOT NULL,
        confidence text NOT NULL,
        path text NOT NULL,
        line int,
        "column" int,
        byte_offset bigint,
        excerpt text,
        fingerprint text NOT NULL,
        remediation text
      )`);
    // Serves the replacement of one scan's findings and the object's page.
    await db.query(`CREATE INDEX finding_scan ON finding (scan_id, id)`);
    // Serves the object's page.
    await db.query(`CREATE INDEX finding_object ON finding (object_id, id)`);
    // Serves the question where else the same secret was seen.
    await db.query(`CREATE INDEX finding_fingerprint ON finding (fingerprint)`);

    await db.query(`
      CREATE TABLE object_action (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        scan_id uuid NOT NULL REFERENCES scan (id),
        object_id uuid NOT NULL REFERENCES object_version (id),
        task_id text NOT NULL,
        action text NOT NULL,
        performed boolean NOT NULL,
        note text,
        data json,
        at bigint NOT NULL,
        UNIQUE (scan_id, task_id, action)
      )`);
    // Serves the object's page and the report's list.
    await db.query(`CREATE INDEX object_action_object ON object_action (object_id, id)`);

    await db.query(`
      CREATE TABLE object_decision (
        review_id text PRIMARY KEY,
        scan_id uuid NOT NULL REFERENCES scan (id),
        object_id uuid NOT NULL REFERENCES object_version (id),
        outcome text NOT NULL,
        decided_by text NOT NULL,
        reason text NOT NULL,
        at bigint NOT NULL
      )`);
    // Serves the object's page.
    await db.query(`CREATE INDEX object_decision_object ON object_decision (object_id, at)`);
    // Serves the report's decision register.
    await db.query(`CREATE INDEX object_decision_at ON object_decision (at)`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of [
      'object_decision',
      'object_action',
      'finding',
      'verdict',
      'scan',
      'object_version',
    ]) {
      await db.query(`DROP TABLE ${table}`);
    }
    await db.query(`DROP FUNCTION verdict_is_append_only()`);
  }
}
