import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only new tables.
export class CreateReview1764020001000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE review (
        id uuid PRIMARY KEY,
        task_id text NOT NULL UNIQUE,
        workflow_id text NOT NULL,
        scan_id text,
        title text NOT NULL,
        verdict text,
        reason text,
        outcomes text[] NOT NULL,
        -- What people are shown, fixed at opening: object, verdict, masked findings. The digest is over its essence.
        subject json NOT NULL,
        subject_digest text NOT NULL,
        state text NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'CLAIMED', 'COMPLETED', 'CANCELLED')),
        version int NOT NULL DEFAULT 1,
        claimed_by text,
        claimed_by_name text,
        claimed_at bigint,
        outcome text,
        decided_by text,
        decided_by_name text,
        decided_at bigint,
        decided_via text,
        decided_method text,
        decision_reason text,
        cancelled_at bigint,
        cancel_reason text,
        -- Whether the engine took the decision: 'applied', or 'late' when the task had ended otherwise.
        completion text CHECK (completion IN ('pending', 'applied', 'late')),
        completion_note text,
        created_at bigint NOT NULL,
        updated_at bigint NOT NULL,
        checked_at bigint NOT NULL,
        CHECK ((state = 'CLAIMED') = (claimed_by IS NOT NULL)),
        CHECK ((state = 'COMPLETED') = (outcome IS NOT NULL)),
        CHECK ((state = 'CANCELLED') = (cancelled_at IS NOT NULL))
      ) WITH (fillfactor = 80)`);
    // Serves the inbox: all of a state, newest first.
    await db.query(`CREATE INDEX review_state ON review (state, created_at DESC, id DESC)`);
    // Serves the list of all.
    await db.query(`CREATE INDEX review_created ON review (created_at DESC, id DESC)`);
    // Serves "mine".
    await db.query(
      `CREATE INDEX review_claimed ON review (claimed_by, created_at DESC, id DESC) WHERE claimed_by IS NOT NULL`,
    );
    // Serves the sweep for reviews whose task has ended.
    await db.query(`CREATE INDEX review_unchecked ON review (checked_at) WHERE state IN ('OPEN', 'CLAIMED')`);
    // Serves "the review of this scan" and "of this workflow".
    await db.query(`CREATE INDEX review_scan ON review (scan_id) WHERE scan_id IS NOT NULL`);
    await db.query(`CREATE INDEX review_workflow ON review (workflow_id)`);
    await db.query(`
      CREATE TABLE review_event (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        review_id uuid NOT NULL REFERENCES review (id),
        at bigint NOT NULL,
        kind text NOT NULL,
        actor text NOT NULL,
        actor_name text NOT NULL,
        via text NOT NULL,
        data json NOT NULL
      )`);
    // Serves the timeline.
    await db.query(`CREATE INDEX review_event_review ON review_event (review_id, id)`);
    await db.query(`
      CREATE TABLE review_vote (
        review_id uuid NOT NULL REFERENCES review (id),
        round int NOT NULL DEFAULT 1,
        person_id text NOT NULL,
        outcome text NOT NULL,
        reason text NOT NULL,
        subject_digest text NOT NULL,
        via text NOT NULL,
        method text NOT NULL,
        at bigint NOT NULL,
        PRIMARY KEY (review_id, round, person_id)
      )`);
    await db.query(`
      CREATE TABLE review_link (
        id text PRIMARY KEY,
        review_id uuid NOT NULL REFERENCES review (id),
        person_id text NOT NULL,
        person_name text NOT NULL,
        email text NOT NULL,
        token_sha256 bytea NOT NULL UNIQUE,
        -- SHA-256 over token and code, so that the short code cannot be guessed from this row.
        code_sha256 bytea NOT NULL,
        wrong_codes int NOT NULL DEFAULT 0,
        created_at bigint NOT NULL,
        expires_at bigint NOT NULL
      )`);
    await db.query(`CREATE INDEX review_link_review ON review_link (review_id)`);
    await db.query(`
      CREATE TABLE review_message (
        review_id uuid NOT NULL REFERENCES review (id),
        channel text NOT NULL,
        address text NOT NULL,
        message_id text NOT NULL,
        posted_at bigint NOT NULL,
        PRIMARY KEY (review_id, channel, address)
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of ['review_message', 'review_link', 'review_vote', 'review_event', 'review'])
      await db.query(`DROP TABLE ${table}`);
  }
}
